/**
 * The events of a job. The event log in the database is the source of truth; every subscriber reads from it.
 *
 * @since 0.1.0
 */
import { Either, ParseResult, Schema } from "effect"
import { stringify } from "../internal/Json.js"
import type { Type } from "./events.js"
import { JobId } from "./JobId.js"
import type { RunStatus } from "./RunStatus.js"
import { storable } from "./storable.js"

/**
 * An event of a job, as recorded in the log.
 *
 * @since 0.1.0
 * @category models
 */
export class JobEvent extends Schema.Class<JobEvent>("charlotte/JobEvent")({
  jobId: JobId,
  /** The number of the event within the job: 1, 2, 3 … */
  seq: Schema.Int.pipe(Schema.positive()),
  /** Increases across all jobs of a database. */
  cursor: Schema.Int.pipe(Schema.positive()),
  at: Schema.DateTimeUtc,
  type: Schema.NonEmptyString,
  unit: Schema.optional(Schema.String),
  task: Schema.optional(Schema.Int),
  /** Any JSON. */
  payload: Schema.optional(Schema.Unknown)
}) {}

/**
 * An event that an orchestrator emits. Types that begin with `job.` are reserved for the manager.
 *
 * @since 0.1.0
 * @category models
 */
export const EmittedEvent = Schema.Struct({
  type: Schema.NonEmptyString.pipe(
    Schema.filter(
      (type) => !type.startsWith("job.") || "event types that begin with job. are reserved for the manager"
    ),
    storable
  ),
  unit: Schema.optional(Schema.String.pipe(storable)),
  task: Schema.optional(Schema.Int),
  /** Any JSON. */
  payload: Schema.optional(Schema.Unknown)
})

/**
 * An event that an orchestrator emits.
 *
 * @since 0.1.0
 * @category models
 */
export type EmittedEvent = typeof EmittedEvent.Type

const validate = Schema.validateEither(EmittedEvent, { errors: "all" })

/**
 * Why a value is not a valid event, naming every bad field; empty if it is one. `emit` dies with this message.
 *
 * @since 0.1.0
 * @category predicates
 */
export const emitProblem = (event: unknown): string =>
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
 * The events that a manager writes, and the status of the run after each. The event and the change of status are one
 * transaction.
 *
 * @since 0.1.0
 * @category constants
 */
export const lifecycle = {
  "job.queued": "pending",
  "job.started": "running",
  "job.stopping": "running",
  "job.timeout": "running",
  "job.resumed": "running",
  "job.interrupted": "interrupted",
  "job.parked": "parked",
  "job.completed": "completed",
  "job.failed": "failed",
  "job.cancelled": "cancelled"
} as const satisfies { readonly [T in Exclude<Type, "job.rescheduled" | "job.signalled" | "job.step">]: RunStatus }

/**
 * The type of a lifecycle event.
 *
 * @since 0.1.0
 * @category models
 */
export type Lifecycle = keyof typeof lifecycle

const statuses = new Map<string, RunStatus>(Object.entries(lifecycle))

/**
 * The status of a run after an event; undefined unless the event sets it.
 *
 * @since 0.2.0
 * @category getters
 */
export const statusAfter = ({ type }: Pick<JobEvent, "type">): RunStatus | undefined => statuses.get(type)

/**
 * An event that the manager of a job writes, or that the job emits, by a map from type to encoded payload.
 *
 * @since 0.2.0
 * @category models
 */
export type TypedEvent<Payloads> =
  | (Omit<JobEvent, "type"> & { readonly type: `job.${string}` })
  | {
      readonly [Type in keyof Payloads & string]: Omit<JobEvent, "type" | "payload"> & {
        readonly type: Type
      } & (undefined extends Payloads[Type]
          ? { readonly payload?: Payloads[Type] }
          : { readonly payload: Payloads[Type] })
    }[keyof Payloads & string]
