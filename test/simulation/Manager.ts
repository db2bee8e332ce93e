/**
 * The real manager on the real store, in one life of a process.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import { Context, Effect, Exit, Layer, Option, Scope } from "effect"
import type { AlreadyManaged, StoreError } from "../../src/domain/errors.js"
import * as JobManager from "../../src/manager/JobManager.js"
import * as RunStore from "../../src/store/RunStore.js"
import { ParentEnvironment } from "../../src/process/ChildEnvironment.js"
import { FreeSpace } from "../../src/process/FreeSpace.js"
import { LaunchRef } from "../../src/process/spawnProcess.js"
import { ProcessTableRef } from "../../src/process/ProcessTable.js"
import type { Orchestrator } from "../../src/manager/Orchestrator.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import type { Database } from "./Database.js"
import type { Kind } from "./Kind.js"
import type { Life } from "./Life.js"
import * as Orchestrators from "./Orchestrators.js"
import type { Processes } from "./Processes.js"
import type { World } from "./World.js"
import * as Work from "../support/Work.js"

export type Service = JobManager.JobManager["Type"]

type Built = JobManager.JobManager | RunStore.RunStore | SqlClient.SqlClient
export type Producer = typeof Work.Work.Producer.Service

export interface Manager {
  readonly life: Life
  /** There once it is ready. */
  readonly service: () => Service | undefined
  /** Provides the client of the application and the store, once it is ready. */
  readonly onDatabase: <A, E>(
    effect: Effect.Effect<A, E, SqlClient.SqlClient | RunStore.RunStore>
  ) => Effect.Effect<A, E>
  /** The producer beside it, where its kind has producers. */
  readonly producer: () => Producer | undefined
  readonly isClosing: () => boolean
  /** Closes its layer; `done` is called when that has ended. */
  readonly close: (done: () => void) => void
}

/** What a manager finds in place of the real world. */
export const replaced = (life: Life, { processes }: { readonly processes: Processes }) =>
  Layer.mergeAll(
    Layer.succeedContext(life.references),
    Layer.succeed(ProcessTableRef, Option.some(processes.table)),
    Layer.succeed(LaunchRef, processes.launch(life)),
    Layer.succeed(ParentEnvironment, {}),
    Layer.succeed(FreeSpace, () => Effect.succeed(Infinity)),
    Layer.succeed(Orchestrators.Home, "around the manager")
  )

export interface Simulated extends Pick<World, "machine"> {
  readonly database: Database
  readonly processes: Processes
}

/** Begins to boot one in a life of a process; `booted` gets the result. */
export type Boot = (
  life: Life,
  options: JobManager.LayerOptions,
  booted: (exit: Exit.Exit<Service, AlreadyManaged | StoreError>) => void
) => Manager

/** Boots managers with the orchestrator of a life. */
export const boot =
  (
    world: Simulated,
    orchestrator: (life: Life) => Layer.Layer<Orchestrator, never, RunStore.RunStore | ProcessRunner.ProcessRunner>,
    kind?: Kind
  ): Boot =>
  (life, options, booted) =>
    bootLayer(
      life,
      (kind === undefined ? JobManager.layer(options) : workOf(kind, options)).pipe(
        Layer.provide(orchestrator(life)),
        Layer.provide(ProcessRunner.layer),
        Layer.provideMerge(world.machine.random.chance(0.1) ? RunStore.layer : RunStore.layerUntouched),
        Layer.provideMerge(world.database.client(life)),
        Layer.provide(replaced(life, world))
      ),
      booted
    )

const workOf = ({ retry, timeout }: Kind, options: JobManager.LayerOptions) =>
  Work.layer({ ...options, retry, ...(timeout === undefined ? {} : { timeout }) })

export const bootLayer = <E>(
  life: Life,
  layer: Layer.Layer<Built, E>,
  booted: (exit: Exit.Exit<Service, E>) => void
): Manager => {
  const scope = Effect.runSync(Scope.make())
  let ready: Context.Context<Built> | undefined
  let closing = false

  life.fork(
    Effect.map(Layer.buildWithScope(layer, scope), (context) => {
      ready = context
      return Context.get(context, JobManager.JobManager)
    }),
    booted
  )
  return {
    life,
    service: () => ready && Context.get(ready, JobManager.JobManager),
    producer: () => ready && Option.getOrUndefined(Context.getOption(ready, Work.Work.Producer)),
    onDatabase: (effect) =>
      ready === undefined ? Effect.dieMessage("the manager is not ready") : Effect.provide(effect, ready),
    isClosing: () => closing,
    close: (done) => {
      closing = true
      life.fork(Scope.close(scope, Exit.void), done)
    }
  }
}
