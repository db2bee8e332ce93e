/**
 * Checks before, at the start of and after a transaction whether the writer's database is still the one that was opened. Only
 * SQLite needs it, since its files can be replaced.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { Connection } from "./Dialect.js"

export interface Guard {
  /** Fails if the files are no longer the opened ones, as `busy` while that is unclear. Runs before a transaction. */
  readonly check: (connection: Connection) => Effect.Effect<void, StoreError | SqlError>
  /** Fails if the files were deleted or replaced, as far as that shows without a statement. */
  readonly present: Effect.Effect<void, StoreError>
  /** Runs at the start of a transaction, and records which state of the database file the WAL extends. */
  readonly begin: (connection: Connection) => Effect.Effect<void, SqlError>
  /** Whether the files are unchanged since the start of the committed transaction; otherwise `check` decides. */
  readonly confirm: (connection: Connection) => Effect.Effect<boolean>
  /** Checkpoints the WAL once it is large enough. */
  readonly checkpoint: Effect.Effect<void>
  /** While the scope is open, a producer uses the store: unless a manager uses it, too, it is checked with each transaction only. */
  readonly rest: Effect.Effect<void, never, Scope.Scope>
  /** While the scope is open, a manager uses the store. */
  readonly attend: Effect.Effect<void, never, Scope.Scope>
}

export const unguarded: Guard = {
  check: () => Effect.void,
  present: Effect.void,
  begin: () => Effect.void,
  confirm: () => Effect.succeed(true),
  checkpoint: Effect.void,
  rest: Effect.void,
  attend: Effect.void
}
