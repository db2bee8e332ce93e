/**
 * Decodes the events after which a job waits.
 */
import { Option, Schema } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import { Parked, WaitsFor } from "../../domain/Run.js"
import type { Waiting } from "../list/waitingText.js"

const Queued = Schema.Struct({ waitsFor: Schema.optional(WaitsFor), startAt: Schema.optional(Schema.DateTimeUtc) })

const decodeQueued = Schema.decodeUnknownOption(Queued)
const decodeParked = Schema.decodeUnknownOption(Parked)

/** None for events of other types or of other versions. */
export const decode = ({ payload, type }: JobEvent): Option.Option<Waiting> => {
  if (type === "job.queued") return Option.map(decodeQueued(payload), (queued) => ({ status: "pending", ...queued }))
  if (type === "job.parked") return Option.map(decodeParked(payload), (parked) => ({ status: "parked", parked }))
  return Option.none()
}

const decodeSignal = Schema.decodeUnknownOption(Schema.Struct({ name: Schema.String }))

/** The name of the signal that the job was sent. */
export const signal = ({ payload, type }: JobEvent): Option.Option<string> =>
  type === "job.signalled" ? Option.map(decodeSignal(payload), ({ name }) => name) : Option.none()
