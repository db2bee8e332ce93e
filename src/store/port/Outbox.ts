/**
 * The runs that transactions of an application insert.
 *
 * @since 0.2.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { IdempotencyKeyReused, JobConflict, QueueFull, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Notifier } from "./ChangeNotifier.js"
import type { NewRun } from "./RunWrites.js"

/**
 * Runs that transactions of the application insert, together with the application's own writes. Such a run is in the outbox,
 * without an event, until the manager has seen the commit.
 *
 * @since 0.2.0
 * @category models
 */
export interface Outbox {
  /** Whether others may commit to the database, which then has to be polled. */
  readonly isShared: boolean

  /** Notifies of runs of a kind that were inserted here, before the commit, and of commits that the database announces. */
  readonly committed: (kind: string) => Notifier

  /**
   * Runs `inside` inside a transaction of the application's SQL client, and otherwise `outside`, detached from a transaction of
   * any other client.
   */
  readonly byTransaction: <A, E>(effects: {
    readonly inside: Effect.Effect<A, E>
    readonly outside: Effect.Effect<A, E>
  }) => Effect.Effect<A, E>

  /**
   * Runs an effect in a transaction of the application's SQL client, which takes the write lock of SQLite at once, and repeats the whole
   * effect while the database is busy, for up to 5 seconds.
   */
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError | StoreError, R>

  /**
   * Inserts a pending run in the transaction of the caller. Returns its id, or the id of the existing run with its idempotency
   * key.
   */
  readonly insert: (run: NewRun) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /**
   * Waits for an open transaction to end, and appends `job.queued` to the committed runs of a kind, at most 1,000 at once.
   * Returns how many. From time to time it also hands on keys that an ended process has left.
   */
  readonly queue: (kind: string) => Effect.Effect<number, StoreError>
}
