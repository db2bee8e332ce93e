/**
 * What the child tells its parent: every answer that its manager has acknowledged, at once and one a line, so that what was
 * told before the kill is known after it.
 */
import { JobId, RunStatus } from "charlotte"
import { Schema } from "effect"

export const Report = Schema.Union(
  /** The database is about to be opened. */
  Schema.TaggedStruct("Opening", {}),
  /** The manager is there, so many milliseconds after the process began. */
  Schema.TaggedStruct("Ready", { millis: Schema.Number }),
  /** Every run that can go on does; none is recorded as running that does not. */
  Schema.TaggedStruct("Recovered", {}),
  /** `start` has returned. */
  Schema.TaggedStruct("Started", { id: JobId.JobId }),
  /** `stop` or `await` has told the end of the job. */
  Schema.TaggedStruct("Ended", { id: JobId.JobId, status: RunStatus.RunStatus }),
  /** `flush` has returned after the n-th event of this attempt. */
  Schema.TaggedStruct("Flushed", { id: JobId.JobId, attempt: Schema.Int, n: Schema.Int }),
  /** A subscriber was shown this event next after that position: a `seq` of its job, or a `cursor` of all jobs. */
  Schema.TaggedStruct("Shown", {
    of: Schema.Literal("job", "all"),
    after: Schema.Int,
    id: JobId.JobId,
    seq: Schema.Int,
    cursor: Schema.Int,
    type: Schema.String
  }),
  /** The child itself saw something that must not be. */
  Schema.TaggedStruct("Violation", { message: Schema.String })
)

export type Report = typeof Report.Type

const Line = Schema.parseJson(Report)

export const encode = Schema.encodeSync(Line)
export const decode = Schema.decodeSync(Line)
