/**
 * The complete record of a job, as one document.
 */
import { Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import { Question } from "../../domain/Question.js"
import { RecordedSignal } from "../../domain/RecordedSignal.js"
import { Run } from "../../domain/Run.js"
import { TaskRecord, UnitRecord } from "../../domain/Work.js"

/** The version of the format. */
export const format = 1

/** Streamed with one record per line; a final line break shows that the document is complete. */
export const Export = Schema.Struct({
  charlotte: Schema.Literal(format),
  /** Only for a job that has not ended. */
  complete: Schema.optional(Schema.Literal(false)),
  run: Run,
  events: Schema.Array(JobEvent),
  units: Schema.Array(UnitRecord),
  tasks: Schema.Array(TaskRecord),
  questions: Schema.optional(Schema.Array(Question)),
  signals: Schema.Array(RecordedSignal)
}).annotations({ identifier: "Export" })
