/** An attempt whose run is no longer this manager's: what is written about it is refused. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Orchestrator, RunStore } from "charlotte"
import { Context, DateTime, Deferred, Effect, Exit, Layer, Option, Schema } from "effect"

const Config = Schema.Struct({})

type Run = Orchestrator.Service<typeof Config.Type>["run"]

const manage = (run: Run) =>
  Effect.gen(function* () {
    const store = Context.get(yield* Layer.build(RunStore.layerMemory), RunStore.RunStore)
    const manager = yield* JobManager.make({
      kind: "any",
      config: Config,
      orchestrator: { run },
      recovery: "manual"
    }).pipe(Effect.provideService(RunStore.RunStore, store))
    return { manager, store }
  })

describe("an event that the store refuses, since the attempt is over", () => {
  it.scoped("interrupts an attempt that still works, and nothing of it is recorded", () =>
    Effect.gen(function* () {
      const taken = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const { manager, store } = yield* manage(({ emit }) =>
        Effect.zipRight(Deferred.await(taken), emit({ type: "late" })).pipe(
          Effect.zipRight(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
        )
      )
      const jobId = yield* manager.start({})
      // As another process does that takes it over.
      yield* store.record({ type: "job.interrupted", jobId, attempt: 1, at: yield* DateTime.now })
      yield* Deferred.succeed(taken, undefined)
      yield* Deferred.await(interrupted)
      const free = Effect.repeat(Effect.yieldNow(), { until: () => Effect.map(manager.activeCount, (n) => n === 0) })
      yield* free
      const { events } = yield* Effect.flatten(store.events({ kind: "any", jobId, after: 0, limit: 10 }))
      expect(events.map(({ type }) => type)).toEqual(["job.started", "job.interrupted"])
      expect(Option.map(yield* store.get(jobId), ({ status }) => status)).toEqual(Option.some("interrupted"))
    })
  )

  it.scoped("leaves the next attempt alone, where it comes from the one before", () =>
    Effect.gen(function* () {
      const late = yield* Deferred.make<Effect.Effect<void>>()
      const done = yield* Deferred.make<void>()
      const { manager } = yield* manage(({ attempt, emit, flush, park }) =>
        attempt === 1
          ? Effect.zipRight(
              Deferred.succeed(late, Effect.zipRight(emit({ type: "late" }), flush)),
              park({ reason: "it waits", signal: "go" })
            )
          : Deferred.await(done)
      )
      const id = yield* manager.start({})
      const writeLate = yield* Deferred.await(late)
      yield* manager.signal(id, "go")
      const running = Effect.map(
        manager.get(id),
        Option.exists(({ attempt }) => attempt === 2)
      )
      yield* Effect.repeat(Effect.yieldNow(), { until: () => running })
      expect(Exit.isFailure(yield* Effect.exit(writeLate))).toBe(true)
      yield* Deferred.succeed(done, undefined)
      expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
    })
  )
})
