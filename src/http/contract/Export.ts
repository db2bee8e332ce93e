/**
 * All that is recorded of a job, as one document.
 */
import { Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import { RecordedSignal } from "../../domain/RecordedSignal.js"
import { Run } from "../../domain/Run.js"
import { TaskRecord, UnitRecord } from "../../domain/Work.js"

/** The format. */
export const format = 1

/** Streamed, with each record on a line of its own, and with no line break at the end unless all of it was sent. */
export const Export = Schema.Struct({
  charlotte: Schema.Literal(format),
  /** Only of a job that is not over. */
  complete: Schema.optional(Schema.Literal(false)),
  run: Run,
  events: Schema.Array(JobEvent),
  units: Schema.Array(UnitRecord),
  tasks: Schema.Array(TaskRecord),
  signals: Schema.Array(RecordedSignal)
}).annotations({ identifier: "Export" })
