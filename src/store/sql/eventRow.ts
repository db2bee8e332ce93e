/**
 * Decodes rows of `charlotte_events`.
 */
import { Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import { JobId } from "../../domain/JobId.js"
import { JsonText } from "./statements.js"

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
