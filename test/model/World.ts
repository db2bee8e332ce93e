/** The real thing: managers that follow each other on one store, on a clock that stands still unless it is moved. */
import { type errors, JobManager, type RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { type Context, Effect, Exit, Layer, Logger, LogLevel, Runtime, Scope, TestClock } from "effect"
import { KernelRef } from "../../src/internal/ProcessIdentity.js"
import { maxJobs } from "./Model.js"

type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

export interface World {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Promise<A>
  /** The next manager begins: after the one before it was closed, or did nothing any more from one moment to the next. */
  readonly restart: (end: "closes" | "crashes") => Promise<void>
}

/** Every process but this manager's own is dead to it. */
const survivor = Layer.effect(
  KernelRef,
  Effect.map(KernelRef, (kernel) => ({ ...kernel, isAlive: () => Effect.succeed(false) }))
)

const orchestrator = ScriptedOrchestrator.layer({
  check: ({ labels: { key } = {} }) => Effect.succeed(key === undefined ? {} : { key })
})

/** Runs are continued when somebody says so: when they go on by themselves is for other tests. */
const manager = JobManager.layer({ maxJobs, recovery: "manual" }).pipe(
  Layer.provideMerge(orchestrator),
  Layer.provide(survivor)
)

export const make = (
  store: Layer.Layer<RunStore.RunStore, errors.StoreError>
): Effect.Effect<World, errors.StoreError | errors.AlreadyManaged, Scope.Scope> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime()
    const stored = yield* Layer.build(store)

    const begin = Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const context: Context.Context<Services> = yield* Layer.buildWithScope(
        Layer.provideMerge(manager, Layer.succeedContext(stored)),
        scope
      )
      return { scope, context }
    })
    const lives = yield* Effect.scope
    // An id of the time 0 is like one of the time 1.
    yield* TestClock.adjust(1)
    let life = yield* begin

    const run = <A, E>(effect: Effect.Effect<A, E>) =>
      // A manager that has crashed finds at the end of the test that others have taken over, and would say so.
      Runtime.runPromise(runtime)(Logger.withMinimumLogLevel(effect, LogLevel.None))

    const world: World = {
      run: (effect) => run(Effect.provide(effect, life.context)),
      restart: (end) =>
        run(
          Effect.gen(function* () {
            if (end === "closes") yield* Scope.close(life.scope, Exit.void)
            // The ids of one manager rise, whatever the clock does; those of two are told apart by it.
            yield* TestClock.adjust(1)
            life = yield* Scope.extend(begin, lives)
          })
        )
    }
    return world
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
