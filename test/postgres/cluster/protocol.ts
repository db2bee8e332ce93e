/**
 * What a test says to a node in another process, and what that answers.
 */
import { JobId } from "charlotte"
import { Schema } from "effect"

const id = JobId.JobId
const millis = Schema.Int

export const Ask = Schema.Union(
  Schema.TaggedStruct("Start", { millis, hasChild: Schema.Boolean, whenFull: Schema.Literal("refuse", "queue") }),
  Schema.TaggedStruct("StartMany", { millis, count: Schema.Int }),
  Schema.TaggedStruct("Stop", { id }),
  Schema.TaggedStruct("Await", { id }),
  Schema.TaggedStruct("Events", { id }),
  Schema.TaggedStruct("List", {}),
  /** The running jobs, and the address of the node that has taken each. */
  Schema.TaggedStruct("Held", {}),
  Schema.TaggedStruct("Close", {})
)

export const Request = Schema.Struct({ n: Schema.Int, ask: Ask })

export const Response = Schema.Struct({
  n: Schema.Int,
  answer: Schema.optional(Schema.Unknown),
  error: Schema.optional(Schema.String)
})
