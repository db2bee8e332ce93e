/**
 * The runs that wait: for a permit, for a time, for a key or for a signal.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect, Option } from "effect"
import type { StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Waiting } from "./ChangeNotifier.js"
import type { UnfinishedRun } from "./RunReads.js"

/**
 * The maximum number of parked runs that are counted: no count reads all runs.
 *
 * @internal
 */
export const countedParked = 10_000

/**
 * Operations of managers on the runs that wait.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunQueue {
  /** Notifies of commits after which a run of this kind may wait for a permit, or for an earlier time. */
  readonly waiting: (kind: string) => Effect.Effect<Waiting>

  /**
   * The first of the runs that wait for a permit, in the order in which they begin: priority, then interrupted before parked
   * before pending, then id.
   */
  readonly due: (query: {
    readonly kind: string
    readonly statuses: ReadonlyArray<"interrupted" | "parked" | "pending">
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /** How many runs wait for a permit, of which at most `limit` are counted. */
  readonly countDue: (query: Parameters<RunQueue["due"]>[0]) => Effect.Effect<number, StoreError>

  /** How many runs of this kind are pending. */
  readonly pending: (kind: string) => Effect.Effect<number, StoreError>

  /** The oldest pending run of this kind, and how many are parked, of which at most 10,000 are counted. */
  readonly backlog: (kind: string) => Effect.Effect<Backlog, StoreError>

  /** The earliest time that a run of this kind waits for. */
  readonly nextDueAt: (kind: string) => Effect.Effect<Option.Option<DateTime.Utc>, StoreError>

  /** Makes runs whose time has come wait for a permit, at most 1,000 at once. Returns how many. */
  readonly wakeDue: (query: { readonly kind: string; readonly at: DateTime.Utc }) => Effect.Effect<number, StoreError>

  /** Makes a parked run wait for a permit; fails unless it is parked. */
  readonly wake: (jobId: JobId) => Effect.Effect<void, Superseded | StoreError>
}

/**
 * The runs of a kind that wait.
 *
 * @since 0.2.0
 * @category models
 */
export interface Backlog {
  readonly oldest: Option.Option<JobId>
  readonly parked: number
}
