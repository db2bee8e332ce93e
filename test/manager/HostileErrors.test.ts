import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { config } from "../support/jobs.js"

const resist = (): never => {
  throw new Error("it resists")
}

const hostile = {
  "an object that has no text and throws when it is encoded as JSON": Object.assign(Object.create(null), {
    toJSON: resist
  }),
  "a proxy that throws at every touch": new Proxy({}, { get: resist, ownKeys: resist, getPrototypeOf: resist }),
  "an error whose message throws": Object.defineProperty(new Error(), "message", { get: resist })
}

const ends = {
  completed: Effect.succeed<unknown>,
  failed: Effect.fail<unknown>,
  "failed with a defect": Effect.die
}

describe.each(Object.entries(hostile))("%s", (_, value) => {
  for (const [end, make] of Object.entries(ends)) {
    it.live(`does not keep a job that ${end} with it from being recorded`, () =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const run = yield* manager.await(yield* manager.start(config))
        expect(run.status).toBe(end.split(" ")[0])
        expect((yield* manager.health).healthy).toBe(true)
      }).pipe(
        Effect.provide(
          JobManager.layer().pipe(Layer.provide([Orchestrator.layer(() => make(value)), RunStore.layerMemory]))
        )
      )
    )
  }
})
