/**
 * What happened in a job. The log of these in the database is the truth; whoever watches reads from it.
 *
 * @since 0.1.0
 */
import { Either, ParseResult, Schema } from "effect"
import { stringify } from "../internal/Json.js"
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

/** What no database keeps as it is: SQLite replaces halves of surrogate pairs, and PostgreSQL takes no NUL. */
const unkept = /[\0\p{Surrogate}]/u

const isKept = Schema.filter((name: string) => !unkept.test(name) || "must have neither NUL nor a lone surrogate in it")

/**
 * What an orchestrator emits. Types that begin with `job.` are the manager's own.
 *
 * @since 0.1.0
 */
export const EmittedEvent = Schema.Struct({
  type: Schema.NonEmptyString.pipe(
    Schema.filter((type) => !type.startsWith("job.") || "event types that begin with job. are the manager's own"),
    isKept
  ),
  unit: Schema.optional(Schema.String.pipe(isKept)),
  task: Schema.optional(Schema.Int),
  /** Any JSON. */
  payload: Schema.optional(Schema.Unknown)
})

/** @since 0.1.0 */
export type EmittedEvent = typeof EmittedEvent.Type

const validate = Schema.validateEither(EmittedEvent, { errors: "all" })

/** The message of the defect of emitting what is no event: it names every bad field. Empty for an event. */
export const whyNotEmitted = (event: unknown): string =>
  Either.match(validate(event), {
    onRight: () => "",
    onLeft: (error) => {
      const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
      const problems = issues.map(({ message, path }) =>
        path.length === 0 ? message : `${path.join(".")}: ${message}`
      )
      const shown = stringify(event).slice(0, 200)
      return `an orchestrator cannot emit ${shown}: it takes { type, unit?, task?, payload? }; ${problems.join("; ")}`
    }
  })

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
