/**
 * The record of a job: one row of history, which is never deleted.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import { RunStatus } from "./RunStatus.js"

/**
 * Why a run ended without completing.
 *
 * - `failure`: the orchestrator failed with a typed error
 * - `defect`: the orchestrator, or one of its finalizers, died
 * - `interrupted`: it interrupted itself
 * - `recovery`: it could not be resumed after its manager had exited
 *
 * @since 0.1.0
 * @category models
 */
export class RunError extends Schema.Class<RunError>("charlotte/RunError")({
  kind: Schema.Literal("failure", "defect", "interrupted", "recovery"),
  /** The error as JSON; an `Error` keeps its name and message. */
  error: Schema.Unknown,
  /** The whole cause, pretty-printed. */
  cause: Schema.String
}) {}

/**
 * The record of a job. `attempt` counts from 1; times are in UTC.
 *
 * @since 0.1.0
 * @category models
 */
export class Run extends Schema.Class<Run>("charlotte/Run")({
  id: JobId,
  /** The kind of the manager that runs it. */
  kind: Schema.NonEmptyString,
  status: RunStatus,
  /** 1 for the first attempt; each resume increments it. */
  attempt: Schema.Int.pipe(Schema.positive()),
  /** The encoded configuration, as submitted. */
  config: Schema.Unknown,
  labels: Schema.Record({ key: Schema.String, value: Schema.String }),
  createdAt: Schema.DateTimeUtc,
  /** When the current attempt began. */
  startedAt: Schema.optional(Schema.DateTimeUtc),
  /** When it reached a terminal status. */
  endedAt: Schema.optional(Schema.DateTimeUtc),
  /** The success value of the orchestrator, as JSON. */
  result: Schema.optional(Schema.Unknown),
  error: Schema.optional(RunError)
}) {}
