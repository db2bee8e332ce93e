/**
 * The real manager as one node of a cluster, in one life of a process.
 */
import { Context, type Exit, Layer } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../../../src/domain/errors.js"
import { Engine } from "../../../src/cluster/Engine.js"
import { Guard } from "../../../src/cluster/guard/Guard.js"
import * as JobManager from "../../../src/cluster/JobManager.js"
import { MachineRef } from "../../../src/internal/Machine.js"
import * as ProcessRunner from "../../../src/process/ProcessRunner.js"
import { TreeGuard } from "../../../src/process/TreeGuard.js"
import type { Database } from "../Database.js"
import type { Life } from "../Life.js"
import * as ManagerModule from "../Manager.js"
import * as Orchestrators from "../Orchestrators.js"
import type { Processes } from "../Processes.js"
import type { World } from "../World.js"
import type * as Guards from "./Guards.js"
import type { Network } from "./Network.js"
import * as Store from "./Store.js"

export type JoinError = AlreadyManaged | NodeConflict | StoreError

export interface Shared extends World {
  readonly database: Database
  readonly processes: Processes
  readonly network: Network
  readonly notices: Store.Notices
}

/** Begins to boot one; `booted` gets what came of it. */
export const boot = (
  life: Life,
  world: Shared,
  {
    address,
    guard: { service: guard },
    machine,
    options
  }: {
    readonly address: string
    readonly machine: string
    readonly guard: Guards.Guard
    readonly options: JobManager.ClusterOptions
  },
  booted: (exit: Exit.Exit<ManagerModule.Service, JoinError>) => void
): ManagerModule.Manager =>
  ManagerModule.bootLayer(
    life,
    JobManager.layerCluster(options).pipe(
      Layer.provide(Orchestrators.layer(world, life)),
      Layer.provide(ProcessRunner.layer),
      Layer.provide(Layer.scoped(Engine, world.network.join(address, life))),
      Layer.provide(Layer.succeedContext(Context.make(Guard, guard).pipe(Context.add(TreeGuard, guard)))),
      Layer.provideMerge(Store.layer(world.notices, life)),
      Layer.provideMerge(world.database.client(life, { mayBeCut: true })),
      Layer.provide(Layer.succeed(MachineRef, machine)),
      Layer.provide(ManagerModule.replaced(life, world))
    ),
    booted
  )
