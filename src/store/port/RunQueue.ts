/**
 * The runs that wait for a permit, for a time, for a key or for a signal.
 *
 * @since 0.2.0
 */
import type { DateTime, Effect, Option } from "effect"
import type { JobNotFound, NotReschedulable, StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Sender } from "../../domain/Sender.js"
import type { Waiting } from "./ChangeNotifier.js"
import type { UnfinishedRun } from "./RunReads.js"

/**
 * The maximum number of parked runs that are counted, so that no count reads all runs.
 *
 * @internal
 */
export const countedParked = 10_000

/**
 * The maximum number of ended runs of a status that are counted.
 *
 * @internal
 */
export const countedEnded = 1_000

/**
 * Operations of managers on waiting runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunQueue {
  /** Notifies of commits after which a run of this kind may wait for a permit, or for an earlier time. */
  readonly waiting: (kind: string) => Effect.Effect<Waiting>

  /**
   * The first runs that wait for a permit, in the order in which they begin: priority, then interrupted before parked
   * before pending, then id. Of a paused kind only runs that are due for a stop, and none that `version` has refused.
   */
  readonly due: (query: {
    readonly kind: string
    readonly statuses: ReadonlyArray<"interrupted" | "parked" | "pending">
    readonly limit: number
    readonly version?: string | undefined
  }) => Effect.Effect<ReadonlyArray<UnfinishedRun>, StoreError>

  /** The number of runs that wait for a permit and that no version has refused, counted up to `limit`. */
  readonly countDue: (query: Omit<Parameters<RunQueue["due"]>[0], "version">) => Effect.Effect<number, StoreError>

  /** The number of pending runs of this kind. */
  readonly pending: (kind: string) => Effect.Effect<number, StoreError>

  /** The oldest pending run of this kind, and the number of parked runs, counted up to 10,000. */
  readonly backlog: (kind: string) => Effect.Effect<Backlog, StoreError>

  /** The number of runs of this kind in each status; of those that have ended, among the newest 1,000 of the status. */
  readonly countByStatus: (kind: string) => Effect.Effect<Readonly<Record<RunStatus, number>>, StoreError>

  /** The earliest time that a run of this kind waits for. */
  readonly nextDueAt: (kind: string) => Effect.Effect<Option.Option<DateTime.Utc>, StoreError>

  /** Makes runs wait for a permit when their time has come, at most 1,000 at once. Returns how many. */
  readonly wakeDue: (query: { readonly kind: string; readonly at: DateTime.Utc }) => Effect.Effect<number, StoreError>

  /**
   * Makes a parked run wait for a permit: a person, the `sender`, resumes or stops it, or its time comes early. Fails unless it is parked,
   * or interrupted and stopped.
   */
  readonly wake: (
    jobId: JobId,
    by?: "resume" | "stop" | "time",
    sender?: Sender
  ) => Effect.Effect<void, Superseded | StoreError>

  /** Changes the priority of a waiting run, and the start time of a pending one, with its event; none if nothing changes. */
  readonly reschedule: (rescheduling: Rescheduling) => Effect.Effect<void, JobNotFound | NotReschedulable | StoreError>
}

/**
 * The new schedule of a waiting run.
 *
 * @since 0.2.0
 * @category models
 */
export interface Rescheduling {
  readonly kind: string
  readonly jobId: JobId
  /** Stays as it is if it is left out. */
  readonly priority?: number | undefined
  /** None to begin as soon as a permit is free; stays as it is if it is left out. */
  readonly startAt?: Option.Option<DateTime.Utc> | undefined
  /** Who asks for it. */
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}

/**
 * The backlog of waiting runs of a kind.
 *
 * @since 0.2.0
 * @category models
 */
export interface Backlog {
  readonly oldest: Option.Option<JobId>
  readonly parked: number
}
