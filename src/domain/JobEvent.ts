/**
 * What happened in a job. The log of these in the database is the truth; whoever watches reads from it.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import type { RunStatus } from "./RunStatus.js"

/** @since 0.1.0 */
export class JobEvent extends Schema.Class<JobEvent>("charlotte/JobEvent")({
  jobId: JobId,
  /** 1, 2, 3 … within the job. */
  seq: Schema.Int.pipe(Schema.positive()),
  /** Rises over all jobs of a database. */
  cursor: Schema.Int.pipe(Schema.positive()),
  at: Schema.DateTimeUtc,
  type: Schema.NonEmptyString,
  unit: Schema.optional(Schema.String),
  task: Schema.optional(Schema.Int),
  /** Any JSON. */
  payload: Schema.optional(Schema.Unknown)
}) {}

/**
 * What an orchestrator emits. Types that begin with `job.` are the manager's own.
 *
 * @since 0.1.0
 */
export const EmittedEvent = Schema.Struct({
  type: Schema.NonEmptyString.pipe(
    Schema.filter((type) => !type.startsWith("job.") || "event types that begin with job. are the manager's own")
  ),
  unit: Schema.optional(Schema.String),
  task: Schema.optional(Schema.Int),
  /** Any JSON. */
  payload: Schema.optional(Schema.Unknown)
})

/** @since 0.1.0 */
export type EmittedEvent = typeof EmittedEvent.Type

/**
 * The events that a manager writes, each together with the change of state that it tells of, and the status of the run
 * after it.
 *
 * @since 0.1.0
 */
export const lifecycle = {
  "job.started": "running",
  "job.stopping": "running",
  "job.resumed": "running",
  "job.interrupted": "interrupted",
  "job.completed": "completed",
  "job.failed": "failed",
  "job.cancelled": "cancelled"
} as const satisfies Record<string, RunStatus>

/** @since 0.1.0 */
export type Lifecycle = keyof typeof lifecycle
