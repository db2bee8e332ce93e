/**
 * Which process manages the jobs of a kind in a database. There is one at the most.
 */
import type { Effect, Option } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { ProcessIdentity } from "./ProcessIdentity.js"

export interface Owners {
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
}
