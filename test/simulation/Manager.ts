/**
 * The real manager on the real store, in one life of a process.
 */
import { Context, Effect, Exit, Layer, Option, Scope } from "effect"
import type { AlreadyManaged, StoreError } from "../../src/domain/errors.js"
import * as JobManager from "../../src/manager/JobManager.js"
import * as RunStore from "../../src/store/RunStore.js"
import { ParentEnvironment } from "../../src/process/ChildEnvironment.js"
import { LaunchRef } from "../../src/process/spawnProcess.js"
import { ProcessTableRef } from "../../src/process/ProcessTable.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import type { Database } from "./Database.js"
import type { Life } from "./Life.js"
import * as Orchestrators from "./Orchestrators.js"
import type { Processes } from "./Processes.js"
import type { World } from "./World.js"

export type Service = JobManager.JobManager["Type"]

export interface Manager {
  readonly life: Life
  /** There once it is ready. */
  readonly service: () => Service | undefined
  readonly isClosing: () => boolean
  /** Closes its layer; `done` is called when that has ended. */
  readonly close: (done: () => void) => void
}

/** Begins to boot one; `booted` is told what came of it. */
export const boot = (
  life: Life,
  world: World & { readonly database: Database; readonly processes: Processes },
  options: JobManager.LayerOptions,
  booted: (exit: Exit.Exit<Service, AlreadyManaged | StoreError>) => void
): Manager => {
  const scope = Effect.runSync(Scope.make())
  let service: Service | undefined
  let closing = false

  const replaced = Layer.mergeAll(
    Layer.succeedContext(life.references),
    Layer.succeed(ProcessTableRef, Option.some(world.processes.table)),
    Layer.succeed(LaunchRef, world.processes.launch(life)),
    Layer.succeed(ParentEnvironment, {}),
    Layer.succeed(Orchestrators.Home, "around the manager")
  )
  const layer = JobManager.layer(options).pipe(
    Layer.provide(Orchestrators.layer(world, life)),
    Layer.provide(ProcessRunner.layer),
    Layer.provide(world.machine.random.chance(0.1) ? RunStore.layer : RunStore.layerUntouched),
    Layer.provide(world.database.client(life)),
    Layer.provide(replaced)
  )
  life.fork(
    Effect.map(Layer.buildWithScope(layer, scope), (context) => {
      service = Context.get(context, JobManager.JobManager)
      return service
    }),
    booted
  )
  return {
    life,
    service: () => service,
    isClosing: () => closing,
    close: (done) => {
      closing = true
      life.fork(Scope.close(scope, Exit.void), done)
    }
  }
}
