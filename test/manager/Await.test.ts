import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Layer, Option } from "effect"
import { config } from "../support/jobs.js"
import { interleaved } from "../support/interleaving.js"

const layer = JobManager.layer({ maxJobs: 1 }).pipe(
  Layer.provide(Orchestrator.layer(() => Effect.yieldNow())),
  Layer.provideMerge(RunStore.layerMemory)
)

const seeds = Array.from({ length: 100 }, (_, seed) => seed + 1)

/** Polls the record of the only job until it has ended, which is before its permit is free. */
const recorded = (id: Effect.Effect.Success<ReturnType<JobManager.JobManager["Type"]["start"]>>) =>
  Effect.flatMap(RunStore.RunStore, ({ get }) =>
    Effect.repeat(Effect.zipLeft(get(id), Effect.yieldNow()), {
      until: Option.exists(({ endedAt }) => endedAt !== undefined),
      times: 1_000
    })
  )

describe("the permit of a job that has ended", () => {
  it.live("is free when await returns, also to a caller between the record and the release", () =>
    Effect.forEach(
      seeds,
      (seed) =>
        Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* recorded(id)
          yield* manager.await(id)
          return yield* manager.start(config)
        }).pipe(Effect.provide(layer), interleaved(seed), Effect.either),
      { discard: false }
    ).pipe(Effect.map((answers) => expect(answers.filter(({ _tag }) => _tag === "Left")).toEqual([])))
  )

  it.live("is free when stop returns, too", () =>
    Effect.forEach(seeds, (seed) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        yield* recorded(id)
        expect((yield* manager.stop(id)).mode).toBe("alreadyEnded")
        return yield* manager.start(config)
      }).pipe(Effect.provide(layer), interleaved(seed), Effect.either)
    ).pipe(Effect.map((answers) => expect(answers.filter(({ _tag }) => _tag === "Left")).toEqual([])))
  )
})
