/** Runs that are retried by hand. */
import { describe, expect, it } from "@effect/vitest"
import { errors, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, Layer, Stream } from "effect"
import { config } from "../support/jobs.js"
import { Email, Later, retrying } from "./retrying.js"

retrying(
  "by a manager",
  {
    email: (options) => Layer.orDie(Email.layer(options)),
    later: (options) => Layer.orDie(Later.layer(options))
  },
  RunStore.layerMemory
)

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer({ script: () => [Step.fail("no")] })))
)

const recordOf = (id: Parameters<RunStore.RunStore["Type"]["get"]>[0]) =>
  Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

describe("a job of tasks", () => {
  const failed = Effect.flatMap(JobManager.JobManager, (manager) =>
    Effect.tap(manager.start({ ...config, labels: { team: "web" }, concurrency: 2 }), manager.await)
  )

  it.scoped("that is retried names the former one in its configuration, from which it takes over the work", () =>
    Effect.gen(function* () {
      const { await: ended, retry, retryMany } = yield* JobManager.JobManager
      const first = yield* failed
      const second = yield* retry(first, { fresh: true })
      expect(yield* ended(second)).toMatchObject({
        retryOf: first,
        labels: { team: "web" },
        config: { ...config, concurrency: 2, retryOf: first, fresh: true }
      })
      expect((yield* recordOf(first)).retriedAs).toBe(second)
      const third = yield* retry(second)
      const { config: last } = yield* ended(third)
      expect(last).toMatchObject({ retryOf: second })
      expect(last).not.toHaveProperty("fresh")
      yield* Stream.runDrain(retryMany({ status: "failed", fresh: true }))
      const { retriedAs = third } = yield* recordOf(third)
      expect((yield* recordOf(retriedAs)).config).toMatchObject({ retryOf: third, fresh: true })
    }).pipe(Effect.provide(layer))
  )

  it.scoped("that names another in its configuration retries it, except in a dry run", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const first = yield* failed
      yield* manager.start({ ...config, retryOf: first, dryRun: true })
      expect((yield* recordOf(first)).retriedAs).toBeUndefined()
      const second = yield* manager.start({ ...config, retryOf: first })
      const third = yield* manager.start({ ...config, retryOf: first })
      expect((yield* recordOf(first)).retriedAs).toBe(second)
      expect((yield* recordOf(third)).retryOf).toBeUndefined()
      expect(yield* manager.retry(first)).toBe(second)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("that its check refuses is not retryable, and says why", () =>
    Effect.gen(function* () {
      const { retry, retryMany } = yield* JobManager.JobManager
      const first = yield* failed
      const refused = yield* Effect.flip(retry(first))
      expect(refused.message).toBe(`job ${first} cannot be retried: invalid job configuration: retryOf: was rebased`)
      const progress = yield* Stream.runHead(retryMany({ status: "failed" }))
      expect(progress).toMatchObject({ value: { retried: 0, refused: 1, problem: refused.message } })
    }).pipe(
      Effect.provide(
        JobManager.layer().pipe(
          Layer.provideMerge(
            Layer.merge(
              RunStore.layerMemory,
              ScriptedOrchestrator.layer({
                script: () => [Step.fail("no")],
                check: ({ retryOf }) =>
                  retryOf === undefined
                    ? Effect.succeed({})
                    : new errors.InvalidJobConfig({ issues: [{ path: ["retryOf"], message: "was rebased" }] })
              })
            )
          )
        )
      )
    )
  )
})
