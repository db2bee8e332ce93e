/**
 * Events on the wire, each type with its payload, for the OpenAPI document of `text/event-stream`.
 */
import { Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import { payloads as ofManager } from "../../domain/events.js"

const anyOf = (identifier: string, payloads: Payloads) => {
  const { payload: _, type: __, ...fields } = JobEvent.fields
  const known = Object.entries<Schema.Schema.AnyNoContext>({ ...ofManager, ...payloads })
  const types = known.map(([type, payload]) =>
    Schema.Struct({ ...fields, type: Schema.Literal(type), payload: Schema.optional(payload) }).annotations({
      identifier: `${identifier}.${type}`
    })
  )
  const names = known.map(([type]) => type)
  const Unlisted = Schema.NonEmptyString.pipe(
    Schema.filter((type) => !names.includes(type) || `the payload of ${type} does not match its schema`, {
      jsonSchema: { not: { enum: names } }
    })
  )
  const Other = Schema.Struct({ ...fields, type: Unlisted, payload: Schema.optional(Schema.Unknown) })
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
