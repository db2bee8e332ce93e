/**
 * The record of a job: one row of history, kept for ever.
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
 * - `defect`: it died of a bug, or a finalizer did on the way out
 * - `interrupted`: it interrupted itself
 * - `recovery`: it could not be continued after its manager had ended
 *
 * @since 0.1.0
 */
export class RunError extends Schema.Class<RunError>("charlotte/RunError")({
  kind: Schema.Literal("failure", "defect", "interrupted", "recovery"),
  /** The error as JSON; an `Error` keeps its name and message. */
  error: Schema.Unknown,
  /** The whole cause, rendered for people. */
  cause: Schema.String
}) {}

/** @since 0.1.0 */
export class Run extends Schema.Class<Run>("charlotte/Run")({
  id: JobId,
  /** The kind of manager that it belongs to. */
  kind: Schema.NonEmptyString,
  status: RunStatus,
  /** 1 for the first attempt; each continuation counts one up. */
  attempt: Schema.Int.pipe(Schema.positive()),
  /** The encoded configuration, as it was submitted. */
  config: Schema.Unknown,
  labels: Schema.Record({ key: Schema.String, value: Schema.String }),
  createdAt: Schema.DateTimeUtc,
  /** When the current attempt began. */
  startedAt: Schema.optional(Schema.DateTimeUtc),
  /** When it ended for good. */
  endedAt: Schema.optional(Schema.DateTimeUtc),
  /** What the orchestrator succeeded with, as JSON. */
  result: Schema.optional(Schema.Unknown),
  error: Schema.optional(RunError)
}) {}
