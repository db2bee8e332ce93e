/**
 * What a test says to a node in another process, and what that answers.
 */
import { JobId } from "charlotte"
import { Schema } from "effect"

const id = JobId.JobId
const millis = Schema.Int

/** What a node is started with, as its only argument. */
export const Settings = Schema.parseJson(
  Schema.Struct({
    url: Schema.String,
    address: Schema.String,
    /** Where its engine listens, if others reach it through a proxy. */
    listen: Schema.optional(Schema.String),
    /** Of the cluster. */
    maxJobs: Schema.Int,
    /** For the locks that the child processes of jobs hold. */
    directory: Schema.String,
    /** The program of its guard. */
    guard: Schema.String,
    /** The socket of its HTTP server, if it has one. */
    http: Schema.optional(Schema.String)
  })
)

/** What a follower has seen: an event, and how many milliseconds after it had happened. */
export const Seen = Schema.Struct({ line: Schema.String, late: Schema.Number })

export const Ask = Schema.Union(
  Schema.TaggedStruct("Start", {
    millis,
    hasChild: Schema.Boolean,
    whenFull: Schema.Literal("refuse", "queue"),
    idempotencyKey: Schema.optional(Schema.String)
  }),
  Schema.TaggedStruct("StartMany", { millis, count: Schema.Int }),
  Schema.TaggedStruct("Stop", { id }),
  Schema.TaggedStruct("Await", { id }),
  Schema.TaggedStruct("Events", { id }),
  Schema.TaggedStruct("List", {}),
  /** Follows all events, or those of a job. Answers the number of the follower. */
  Schema.TaggedStruct("Follow", { id: Schema.optional(id), after: Schema.Int }),
  /** What a follower has seen from that event on, counted from 0. */
  Schema.TaggedStruct("Seen", { follower: Schema.Int, from: Schema.Int }),
  /** The running jobs, and the address of the node that has taken each. */
  Schema.TaggedStruct("Held", {}),
  Schema.TaggedStruct("Health", {}),
  Schema.TaggedStruct("Close", {})
)

export const Request = Schema.Struct({ n: Schema.Int, ask: Ask })

export const Response = Schema.Struct({
  n: Schema.Int,
  answer: Schema.optional(Schema.Unknown),
  error: Schema.optional(Schema.String)
})
