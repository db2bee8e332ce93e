/**
 * The reads and writes of pruning.
 */
import type { DateTime, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"

export type FinalStatus = "completed" | "failed" | "cancelled"

export interface FinishedRun {
  readonly id: JobId
  readonly status: FinalStatus
  readonly endedAt: DateTime.Utc
  /** The earlier runs of its chain, which are pruned with it. */
  readonly earlier: ReadonlyArray<JobId>
}

interface Position {
  readonly endedAt: DateTime.Utc
  readonly id: string
}

/** The finished runs of a status in the order in which they ended: after a position, up to an end time. */
export interface Span {
  readonly status: FinalStatus
  readonly after?: Position | undefined
  readonly until?: DateTime.Utc | undefined
}

/** A position after all runs that ended at a time, since it is greater than every id. */
export const afterAllIds = "~"

export interface RetentionStore {
  /** The time by which runs are too old. */
  readonly now: Effect.Effect<DateTime.Utc, StoreError>

  /**
   * Finished runs of a kind that are not pinned, in the order in which they ended; of a chain of retries, only the last. A run whose
   * child processes may be alive is left out, since its rows are needed to find them, and so is its chain; and so is, at that time, a
   * run for which a subscriber still waits.
   */
  readonly finished: (query: {
    readonly kind: string
    readonly at: DateTime.Utc
    readonly spans: ReadonlyArray<Span>
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<FinishedRun>, StoreError>

  /** The number of finished runs of a kind that are not pinned. */
  readonly count: (kind: string) => Effect.Effect<number, StoreError>

  /**
   * Hides the runs among these that have ended and are not pinned, and the earlier runs of their chains, for good, and frees their
   * idempotency keys. Returns them. Subscribers that have not received their events learn that they miss them.
   */
  readonly hide: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<JobId>, StoreError>

  /** Hidden runs of a kind, in the order of their ids. */
  readonly hidden: (query: {
    readonly kind: string
    readonly after: JobId | undefined
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<JobId>, StoreError>

  /** Deletes rows of hidden runs, one run after the other, for the duration of a slice. Returns the runs that are completely deleted. */
  readonly remove: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlyArray<JobId>, StoreError>
}
