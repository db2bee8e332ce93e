/**
 * Events on the wire, each type with its payload, for the OpenAPI document of `text/event-stream`.
 */
import { Schema } from "effect"
import { JobEvent, type Lifecycle } from "../../domain/JobEvent.js"
import { Parked, WaitsFor } from "../../domain/Run.js"
import { payloads } from "../../tasks/events.js"

/** Payloads of the lifecycle events, which the manager writes. */
const lifecycle = (): { readonly [Type in Lifecycle | "job.signalled"]: Schema.Schema.AnyNoContext } => {
  const Attempt = Schema.Struct({ attempt: Schema.Int })
  const Empty = Schema.Struct({})
  const Failure = Schema.Struct({
    error: Schema.Struct({
      kind: Schema.Literal("failure", "defect", "interrupted", "recovery"),
      error: Schema.Unknown
    })
  })
  return {
    "job.queued": Schema.Struct({
      waitsFor: WaitsFor,
      priority: Schema.optional(Schema.Int),
      startAt: Schema.optional(Schema.DateTimeUtc)
    }),
    "job.started": Attempt,
    "job.stopping": Empty,
    "job.resumed": Schema.Struct({
      ...Attempt.fields,
      by: Schema.optional(Schema.Literal("time", "signal", "resume"))
    }),
    "job.interrupted": Schema.Struct({
      reason: Schema.Literal("crash", "shutdown"),
      during: Schema.optional(Schema.Array(Schema.String))
    }),
    "job.parked": Schema.Struct(Parked.fields),
    "job.signalled": Schema.Struct({
      name: Schema.String,
      payload: Schema.optional(Schema.Unknown),
      by: Schema.optional(Schema.String)
    }),
    "job.completed": Empty,
    "job.failed": Failure,
    "job.cancelled": Schema.partial(Failure)
  }
}

const anyOf = (identifier: string, payloads: Payloads) => {
  const { payload: _, type: __, ...fields } = JobEvent.fields
  const types = Object.entries<Schema.Schema.AnyNoContext>({ ...lifecycle(), ...payloads }).map(([type, payload]) =>
    Schema.Struct({ ...fields, type: Schema.Literal(type), payload: Schema.optional(payload) }).annotations({
      identifier: `${identifier}.${type}`
    })
  )
  const Other = Schema.Struct({ ...fields, type: Schema.NonEmptyString, payload: Schema.optional(Schema.Unknown) })
  return Schema.Union(...types, Other.annotations({ identifier: `${identifier}.other` }))
}

const identifier = "JobEvent"

/** Payloads by the type of the event. */
export interface Payloads {
  readonly [type: string]: Schema.Schema.AnyNoContext
}

/** The data of a frame. */
export type EventSchema = Schema.Schema<
  Schema.Struct.Type<typeof JobEvent.fields>,
  Schema.Struct.Encoded<typeof JobEvent.fields>
>

/**
 * The events of the manager, events with these payloads, and events of other types with any JSON as payload. Built lazily:
 * clients, such as every command, never need it.
 */
export const make = (payloads: () => Payloads): EventSchema =>
  Schema.suspend(() => anyOf(identifier, payloads())).annotations({ identifier })

/** The events of tasks. Custom orchestrators emit further types. */
export const ofTasks = make(() => payloads)
