/**
 * The children of jobs: runs that a job has started. Like steps they belong to the first run of a chain of retries; `parent` of a child is
 * the run of that chain that has asked for it last, which its end wakes.
 *
 * @since 0.2.0
 */
import type { Effect } from "effect"
import type { IdempotencyKeyReused, JobConflict, QueueFull, StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { OnParentStop, RecordedChild } from "../../domain/RecordedChild.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { NewRun } from "./RunWrites.js"

/**
 * The records of children.
 *
 * @since 0.2.0
 * @category models
 */
export interface ChildStore {
  /**
   * Returns the child of that name, and starts it as a producer would if there is none. A child that has failed or was cancelled before
   * the current try of its parent is retried. Fails unless the attempt of the parent is the current one and running.
   */
  readonly start: (
    child: NewChild
  ) => Effect.Effect<StartedChild, JobConflict | QueueFull | IdempotencyKeyReused | Superseded | StoreError>

  /** The children of a chain, and how many of the children of a run have ended, as one snapshot. */
  readonly recall: (parent: {
    readonly chain: JobId
    readonly jobId: JobId
  }) => Effect.Effect<RecalledChildren, StoreError>

  /** The children of a chain, newest first, before the id `before`; at most `limit`. */
  readonly list: (query: {
    readonly chain: JobId
    readonly before?: JobId | undefined
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<RecordedChild>, StoreError>
}

/**
 * A child to start.
 *
 * @since 0.2.0
 * @category models
 */
export interface NewChild {
  /** The first run of the chain of the parent. */
  readonly chain: JobId
  /** The parent, its attempt, and how often it has been retried before. */
  readonly jobId: JobId
  readonly attempt: number
  readonly tries: number
  readonly name: string
  readonly onParentStop: OnParentStop
  /** The run of the child, unless there is one. */
  readonly run: NewRun
}

/**
 * A child that may have been started before.
 *
 * @since 0.2.0
 * @category models
 */
export interface StartedChild {
  readonly id: JobId
  readonly kind: string
  readonly status: RunStatus
}

/**
 * A child as a later attempt of its parent reads it.
 *
 * @since 0.2.0
 * @category models
 */
export interface KeptChild {
  readonly id: JobId
  readonly name: string
  readonly kind: string
  /** The run that has asked for it last, and how often that run had been retried before. */
  readonly askedBy: JobId
  readonly tries: number
  /** None if it was pruned. */
  readonly status: RunStatus | undefined
}

/**
 * The children of a chain, at one time.
 *
 * @since 0.2.0
 * @category models
 */
export interface RecalledChildren {
  readonly children: ReadonlyArray<KeptChild>
  /** How many children of the run have ended. A park that has read fewer ends is due at once. */
  readonly ends: number
}
