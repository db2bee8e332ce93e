/**
 * The owner of a kind: the one process that manages its jobs, if any.
 */
import { Effect, type Option, type Scope } from "effect"
import { AlreadyManaged, type StoreError } from "../../domain/errors.js"
import { MachineRef } from "../../internal/Machine.js"
import { KernelRef, type ProcessIdentity } from "../../internal/ProcessIdentity.js"

export interface OwnerStore {
  /**
   * Makes this process the owner of the kind until the scope closes, or fails immediately with the current owner. The scope
   * may outlive the store: a manager keeps its kind until its last job has ended.
   */
  readonly acquire: (
    owner: Pick<Owner, "id" | "kind">
  ) => Effect.Effect<Ownership, AlreadyManaged | StoreError, Scope.Scope>

  /** The recorded owner. Only the lock proves that the owner is alive. */
  readonly get: (kind: string) => Effect.Effect<Option.Option<Owner>, StoreError>

  /**
   * Compare-and-set: records the owner if the current one is still `replacing` (none for `Option.none()`); returns whether it
   * was recorded.
   */
  readonly claim: (owner: Owner, replacing: Option.Option<Owner>) => Effect.Effect<boolean, StoreError>

  /** Deletes the record if it still names this owner. */
  readonly release: (owner: Owner) => Effect.Effect<void, StoreError>
}

export interface Ownership {
  /** Completes when the ownership is uncertain, since others may soon become the owner; never if a kernel guarantees it. */
  readonly lost: Effect.Effect<void>
}

export interface Owner {
  readonly kind: string
  /** Identifies the manager, since one process may run several. */
  readonly id: string
  readonly process: ProcessIdentity
  /** The machine of the process, if several may share the database. */
  readonly machine?: string | undefined
  /** The file lock of the owner; undefined for an in-memory database, and in a record of version 0.1.0. */
  readonly lock?: OwnerLock | undefined
}

export interface OwnerLock {
  readonly path: string
  /** Identifies the locked file among all files that ever have this path. */
  readonly file: string
}

/** Fails, and names the owner: its pid is meaningful only on its machine and in its pid namespace. */
export const alreadyManaged = ({ kind, machine, process }: Owner): Effect.Effect<never, AlreadyManaged> =>
  Effect.gen(function* () {
    const { self } = yield* KernelRef
    const isHere = machine === undefined || machine === (yield* MachineRef)
    const isNear = isHere && process.pidNamespace === self.pidNamespace
    const isSelf = isNear && process.pid === self.pid && process.startTime === self.startTime
    return yield* new AlreadyManaged({
      kind,
      pid: process.pid,
      ...(machine !== undefined && { machine }),
      ...(isHere && !isNear && { pidNamespace: process.pidNamespace }),
      ...(isSelf && { isSelf })
    })
  })
