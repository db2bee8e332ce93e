/**
 * Which process manages the jobs of a kind. There is one at the most.
 */
import type { Effect, Option, Scope } from "effect"
import type { AlreadyManaged, StoreError } from "../domain/errors.js"
import type { ProcessIdentity } from "../internal/ProcessIdentity.js"

export interface OwnerStore {
  /**
   * Makes this process the owner of the kind until the scope closes, or fails at once with the owner that is there. The scope may
   * outlive that of the store: a manager keeps its kind as long as one of its jobs runs, and gives it up after the last one.
   */
  readonly acquire: (owner: Pick<Owner, "id" | "kind">) => Effect.Effect<void, AlreadyManaged | StoreError, Scope.Scope>

  /** What is recorded of the owner; only the lock says whether it is one still. */
  readonly get: (kind: string) => Effect.Effect<Option.Option<Owner>, StoreError>

  /** Compare-and-set: takes the kind if its owner is still `replacing` (none, when left out); tells whether it did. */
  readonly claim: (owner: Owner, replacing: Option.Option<Owner>) => Effect.Effect<boolean, StoreError>

  /** Gives the kind up, if it is still this owner's. */
  readonly release: (owner: Owner) => Effect.Effect<void, StoreError>
}

export interface Owner {
  readonly kind: string
  /** Of this manager, so that two in one process can be told apart. */
  readonly id: string
  readonly process: ProcessIdentity
  /** The kernel lock that it holds; none for a database in memory, and in a record of version 0.1.0. */
  readonly lock?: OwnerLock | undefined
}

export interface OwnerLock {
  readonly path: string
  /** Tells the file apart from every other of that name. */
  readonly file: string
}
