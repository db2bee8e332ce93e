/**
 * The real system: successive managers on one store, with a test clock.
 */
import { Database, type errors, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Context, Duration, Effect, Exit, Layer, Logger, LogLevel, Runtime, Scope, TestClock } from "effect"
import { KernelRef } from "../../src/internal/ProcessIdentity.js"
import { databaseFile } from "../manager/lives.js"
import * as Work from "../support/Work.js"
import * as Model from "./Model.js"
import * as Process from "./Process.js"

type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

export interface World {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Promise<A>
  /** Closes or crashes the current manager, and starts the next. */
  readonly restart: (end: "closes" | "crashes") => Promise<void>
}

/** Each store, made for each layer that provides it; the one in SQLite with the client of its application. */
export const stores: Readonly<Record<string, Layer.Layer<RunStore.RunStore, errors.StoreError>>> = {
  "in memory": RunStore.layerMemory,
  "in SQLite": Layer.unwrapScoped(
    Effect.map(databaseFile, (filename) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename }))))
  )
}

/** Treats every other process as dead. */
const survivor = Layer.effect(
  KernelRef,
  Effect.map(KernelRef, (kernel) => ({ ...kernel, isAlive: () => Effect.succeed(false) }))
)

const orchestrator = ScriptedOrchestrator.layer({
  check: ({ labels: { key } = {} }) => Effect.succeed(key === undefined ? {} : { key })
})

/** Runs are resumed by commands; other tests cover automatic recovery. */
const options = { maxJobs: Model.maxJobs, recovery: "manual" } as const

const managerOf = ({ name, timeout, times }: Model.Kind) =>
  name === "tasks"
    ? JobManager.layer(options)
    : Work.layer({ ...options, timeout, retry: { times, delay: (n) => Duration.millis(Model.pauseBefore(n)) } })

export const make = (
  store: Layer.Layer<RunStore.RunStore, errors.StoreError>,
  kind: Model.Kind
): Effect.Effect<World, errors.StoreError | errors.AlreadyManaged, Scope.Scope> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime()
    const stored = yield* Layer.build(store)
    const manager = managerOf(kind).pipe(Layer.provideMerge(orchestrator), Layer.provide(survivor))

    const begin = Effect.gen(function* () {
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
    let life = yield* begin
    yield* Effect.addFinalizer(() => Scope.close(life.scope, Exit.void))

    const run = <A, E>(effect: Effect.Effect<A, E>) =>
      // A crashed manager logs at the end of the test that another has taken over.
      Runtime.runPromise(runtime)(Logger.withMinimumLogLevel(effect, LogLevel.None))

    const world: World = {
      run: (effect) => run(Effect.provide(effect, life.context)),
      restart: (end) =>
        run(
          Effect.gen(function* () {
            if (end === "closes") yield* Scope.close(life.scope, Exit.void)
            else yield* life.kill
            // The ids of one manager increase regardless of the clock; those of different managers are ordered by it.
            yield* TestClock.adjust(1)
            life = yield* begin
          })
        )
    }
    return world
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
