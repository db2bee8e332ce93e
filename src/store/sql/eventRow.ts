/**
 * Decodes rows of `charlotte_events`.
 */
import { DateTime, Either, type ParseResult, Predicate, Schema } from "effect"
import { parse } from "../../internal/Json.js"
import { JobEvent } from "../../domain/JobEvent.js"
import { JobId } from "../../domain/JobId.js"
import { JsonText } from "./Session.js"

export const Row = Schema.Struct({
  cursor: Schema.Number,
  job_id: JobId,
  seq: Schema.Number,
  at: Schema.DateTimeUtcFromNumber,
  type: Schema.String,
  unit: Schema.NullOr(Schema.String),
  task: Schema.NullOr(Schema.Number),
  payload: Schema.NullOr(JsonText)
})

export const columns = Object.keys(Row.fields).join(", ")

export const event = ({ at, cursor, job_id, payload, seq, task, type, unit }: typeof Row.Type): JobEvent =>
  new JobEvent(
    {
      jobId: job_id,
      seq,
      cursor,
      at,
      type,
      ...(unit === null ? {} : { unit }),
      ...(task === null ? {} : { task }),
      ...(payload === null ? {} : { payload: payload.json })
    },
    { disableValidation: true }
  )

const isId = Schema.is(JobId)

/** Decodes without the schema, since every subscriber reads every event; undefined for an invalid row. */
const decodeFast = (row: unknown): JobEvent | undefined => {
  if (!Predicate.isRecord(row)) return undefined
  const { at, cursor, job_id, payload, seq, task, type, unit } = row
  if (
    typeof cursor !== "number" ||
    !(typeof job_id === "string" && isId(job_id)) ||
    typeof seq !== "number" ||
    typeof at !== "number" ||
    typeof type !== "string" ||
    !(unit === null || typeof unit === "string") ||
    !(task === null || typeof task === "number") ||
    !(payload === null || typeof payload === "string")
  ) {
    return undefined
  }
  try {
    const json = payload === null ? null : { json: parse(payload) }
    return event({ cursor, job_id, seq, at: DateTime.unsafeMake(at), type, unit, task, payload: json })
  } catch {
    // Invalid JSON or an invalid date.
    return undefined
  }
}

const decodeBySchema = Schema.decodeUnknownEither(Row)

/** Decodes a row; the schema explains why a row is invalid. */
export const decode = (row: unknown): Either.Either<JobEvent, ParseResult.ParseError> => {
  const decoded = decodeFast(row)
  return decoded === undefined ? Either.map(decodeBySchema(row), event) : Either.right(decoded)
}
