/**
 * The events that the manager writes, with the schema of each payload. An event without a field to report has no payload.
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"
import { Parked, RunError } from "./Run.js"
import { Sender } from "./Sender.js"

const Schedule = Schema.Struct({ priority: Schema.Int, startAt: Schema.optional(Schema.DateTimeUtc) })
const Nothing = Schema.Struct({})
const Attempt = Schema.Struct({ attempt: Schema.Int })
const RecordedError = Schema.Struct(RunError.fields).omit("cause")

/** The payload of each event type. */
export const payloads = {
  "job.queued": Schema.Struct({
    waitsFor: Schema.String,
    priority: Schema.optional(Schema.Int),
    startAt: Schema.optional(Schema.DateTimeUtc),
    retryOf: Schema.optional(JobId),
    ...Sender.fields
  }),
  "job.started": Attempt,
  "job.stopping": Sender,
  "job.timeout": Schema.Struct({
    /** Milliseconds. */
    limit: Schema.Number
  }),
  "job.resumed": Schema.Struct({
    ...Attempt.fields,
    by: Schema.optional(Schema.String),
    sender: Sender.fields.by,
    via: Sender.fields.via
  }),
  "job.interrupted": Schema.Struct({
    reason: Schema.Literal("crash", "shutdown"),
    during: Schema.optional(Schema.Array(Schema.String))
  }),
  "job.parked": Schema.Struct(Parked.fields),
  "job.signalled": Schema.Struct({
    name: Schema.String,
    payload: Schema.optional(Schema.Unknown),
    ...Sender.fields
  }),
  "job.step": Schema.Struct({ name: Schema.String, ok: Schema.Boolean, millis: Schema.Int }),
  "job.rescheduled": Schema.Struct({ from: Schedule, to: Schedule, ...Sender.fields }),
  "job.completed": Nothing,
  "job.failed": Schema.Struct({ error: RecordedError }),
  "job.cancelled": Schema.Struct({
    error: Schema.optional(RecordedError),
    /** Who has stopped a run that waited; for a running one `job.stopping` says it. */
    ...Sender.fields
  })
} as const

/** The type of an event that the manager writes. */
export type Type = keyof typeof payloads

/** The JSON form of a payload, as it is recorded. */
export type Payload<T extends Type> = (typeof payloads)[T]["Encoded"]
