/**
 * The real system: successive managers on one store, with a test clock.
 */
import { Database, type errors, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Context, Duration, Effect, Exit, Layer, Logger, LogLevel, Runtime, Scope, TestClock } from "effect"
import { KernelRef } from "../../src/internal/ProcessIdentity.js"
import * as Work from "../support/Work.js"
import { type Kind, type Limits, limitsOf, pauseBefore } from "./Kind.js"
import * as Process from "./Process.js"

type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

export interface World {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Promise<A>
  /** Closes or crashes the current manager, and starts the next. */
  readonly restart: (end: "closes" | "crashes", limits: Limits) => Promise<void>
}

/** Of an application with a client, in which it also has transactions. */
const store = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: ":memory:" })))

/** Treats every other process as dead. */
const survivor = Layer.effect(
  KernelRef,
  Effect.map(KernelRef, (kernel) => ({ ...kernel, isAlive: () => Effect.succeed(false) }))
)

const orchestrator = ScriptedOrchestrator.layer({
  check: ({ labels: { key } = {} }) => Effect.succeed(key === undefined ? {} : { key })
})

const managerOf = (kind: Kind, limits: Limits) => {
  const { maxJobs, maxPerGroup, maxQueued, recovery } = limitsOf(kind, limits)
  const { hasKey, name, onStop, retriesAtOnce, retriesDefects, retriesTimeouts, timeout, times } = kind
  const options = { maxJobs, maxQueued, recovery }
  return name === "tasks"
    ? JobManager.layer(options)
    : Work.layer({
        ...options,
        onStop,
        // Under a test clock, an infinite limit would have a timer for each 10 seconds.
        ...(timeout === Infinity ? {} : { timeout }),
        ...(maxPerGroup === undefined ? {} : { maxPerGroup }),
        ...(hasKey ? { key: ({ labels: { startKey } = {} }) => startKey } : {}),
        retry: {
          times,
          while: (error) => error !== "hopeless",
          defects: retriesDefects,
          timeouts: retriesTimeouts,
          delay: (n) => Duration.millis(retriesAtOnce ? 0 : pauseBefore(n))
        }
      })
}

export const make = (
  kind: Kind,
  limits: Limits
): Effect.Effect<World, errors.StoreError | errors.AlreadyManaged, Scope.Scope> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime()
    const stored = yield* Layer.build(store)

    const begin = (limits: Limits) =>
      Effect.gen(function* () {
        const manager = managerOf(kind, limits).pipe(Layer.provideMerge(orchestrator), Layer.provide(survivor))
        const scope = yield* Scope.make()
        const own = Process.make()
        const store = own.during(Context.get(stored, RunStore.RunStore))
        const context: Context.Context<Services> = yield* Layer.buildWithScope(
          Layer.provideMerge(manager, Layer.succeedContext(Context.add(stored, RunStore.RunStore, store))),
          scope
        )
        return { scope, context, kill: own.kill }
      })
    // Ids of time 0 and time 1 would be ordered alike.
    yield* TestClock.adjust(1)
    let life = yield* begin(limits)
    yield* Effect.addFinalizer(() => Scope.close(life.scope, Exit.void))

    const run = <A, E>(effect: Effect.Effect<A, E>) =>
      // A crashed manager logs at the end of the test that another has taken over.
      Runtime.runPromise(runtime)(Logger.withMinimumLogLevel(effect, LogLevel.None))

    const world: World = {
      run: (effect) => run(Effect.provide(effect, life.context)),
      restart: (end, limits) =>
        run(
          Effect.gen(function* () {
            if (end === "closes") yield* Scope.close(life.scope, Exit.void)
            else yield* life.kill
            // The ids of one manager increase regardless of the clock; those of different managers are ordered by it.
            yield* TestClock.adjust(1)
            life = yield* begin(limits)
          })
        )
    }
    return world
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
