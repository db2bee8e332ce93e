/**
 * The lives of managers that follow each other on one database file.
 */
import { Database, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Chunk, Effect, Exit, Layer, Logger, LogLevel, Scope, Stream } from "effect"
import { KernelRef } from "../../src/internal/ProcessIdentity.js"
import { config } from "../support/jobs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

/** The name of a database file that goes with the scope. */
export const databaseFile = TemporaryDirectory.file("jobs.db")

type Options = ScriptedOrchestrator.Options & JobManager.LayerOptions

export type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

const stored = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

const manager = (filename: string, options: Options) =>
  JobManager.layer({ stopGrace: 100, ...options }).pipe(
    Layer.provideMerge(Layer.merge(stored(filename), ScriptedOrchestrator.layer(options)))
  )

/** Every process but this manager's own is dead to it. */
const survivor = Layer.effect(
  KernelRef,
  Effect.map(KernelRef, (kernel) => ({ ...kernel, isAlive: () => Effect.succeed(false) }))
)

/** One life, which ends with a clean shutdown. Managers before it are dead, whatever their process does. */
export const life =
  (filename: string, options: Options = {}) =>
  <A, E, R>(use: Effect.Effect<A, E, R | Services>) =>
    Effect.provide(use, manager(filename, options).pipe(Layer.provide(survivor)))

/** One life that ends with a crash: from here to the end of the test its manager does nothing more, and is not closed. */
export const crash =
  (filename: string, options: Options = {}) =>
  <A, E, R>(use: Effect.Effect<A, E, R | Services>) =>
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const services = yield* Layer.buildWithScope(
        manager(filename, options).pipe(Layer.provide(survivor)),
        scope
      ).pipe(
        // At the end of the test it finds that others have taken over, and would say so.
        Logger.withMinimumLogLevel(LogLevel.None)
      )
      return yield* Effect.provide(use, services)
    })

/** Starts so many jobs, which wait for commands. */
export const startJobs = (count: number) =>
  Effect.flatMap(JobManager.JobManager, ({ start }) => Effect.replicateEffect(start(config), count))

export const startJob = Effect.flatMap(JobManager.JobManager, ({ start }) => start(config))

/** A store on that file, without a manager. */
export const withStore =
  (filename: string) =>
  <A, E, R>(use: Effect.Effect<A, E, R | RunStore.RunStore>) =>
    Effect.provide(use, stored(filename))

export const statusOf = (id: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) => Effect.map(Effect.flatten(store.get(id)), ({ status }) => status))

/** What a finished job went through. */
export const eventsOf = (id: JobId.JobId) =>
  Effect.flatMap(JobManager.JobManager, ({ events }) =>
    Effect.map(Stream.runCollect(events(id)), Chunk.toReadonlyArray)
  )

export const typesOf = (id: JobId.JobId) => Effect.map(eventsOf(id), (all) => all.map(({ type }) => type))

/** Waits for an event of that type, or for so many. */
export const seen = (id: JobId.JobId, type: string, count = 1) =>
  Effect.flatMap(JobManager.JobManager, ({ events }) =>
    events(id).pipe(
      Stream.filter((event) => event.type === type),
      Stream.take(count),
      Stream.runDrain
    )
  )
