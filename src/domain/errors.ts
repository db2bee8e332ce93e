/**
 * Every error of the library's own. Each carries its data; its message is a sentence.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import { RunStatus } from "./RunStatus.js"

/** All permits are taken; nothing was written. */
export class MaxJobsReached extends Schema.TaggedError<MaxJobsReached>()("MaxJobsReached", {
  maxJobs: Schema.Int
}) {
  override get message() {
    return `max jobs (${this.maxJobs}) reached`
  }
}

/** Another active job holds the same key; nothing was written. */
export class JobConflict extends Schema.TaggedError<JobConflict>()("JobConflict", {
  /** The job that holds the key. */
  jobId: Schema.String,
  key: Schema.String
}) {
  override get message() {
    return `job ${this.jobId} already works on ${this.key}`
  }
}

/** The configuration was refused; `issues` names every bad field. */
export class InvalidJobConfig extends Schema.TaggedError<InvalidJobConfig>()("InvalidJobConfig", {
  issues: Schema.Array(
    Schema.Struct({
      /** The way to the field, such as `["labels", "team"]`; empty for the whole. */
      path: Schema.Array(Schema.Union(Schema.String, Schema.Number)),
      message: Schema.String
    })
  )
}) {
  override get message() {
    const issues = this.issues.map(({ message, path }) =>
      path.length === 0 ? message : `${path.join(".")}: ${message}`
    )
    return `invalid job configuration: ${issues.join("; ")}`
  }
}

/** No run of this manager's kind has that id. */
export class JobNotFound extends Schema.TaggedError<JobNotFound>()("JobNotFound", {
  jobId: Schema.String
}) {
  override get message() {
    return `job ${this.jobId} not found`
  }
}

/** Only an interrupted run can be resumed. */
export class NotResumable extends Schema.TaggedError<NotResumable>()("NotResumable", {
  jobId: Schema.String,
  status: RunStatus,
  /** Why an interrupted run could not go on. */
  reason: Schema.optional(Schema.String)
}) {
  override get message() {
    return `job ${this.jobId} cannot be resumed: ${this.reason ?? `it is ${this.status}`}`
  }
}

/** The job had not ended by its deadline; it stays visible as `stopping` and keeps its permit until it does. */
export class StopTimedOut extends Schema.TaggedError<StopTimedOut>()("StopTimedOut", {
  jobId: Schema.String,
  elapsed: Schema.DurationFromMillis
}) {
  override get message() {
    return `job ${this.jobId} has not ended ${Duration.format(this.elapsed)} after it was told to stop`
  }
}

/** The manager is closing and takes no more jobs. */
export class ShuttingDown extends Schema.TaggedError<ShuttingDown>()("ShuttingDown", {}) {
  override get message() {
    return "the job manager is shutting down"
  }
}

/** A live manager of the same kind owns this database. */
export class AlreadyManaged extends Schema.TaggedError<AlreadyManaged>()("AlreadyManaged", {
  kind: Schema.String,
  /** The process of the other manager. */
  pid: Schema.Int,
  /** Where that pid means something, when it is not here: the other manager runs in another container. */
  pidNamespace: Schema.optional(Schema.String)
}) {
  override get message() {
    const where = this.pidNamespace === undefined ? "" : ` of another pid namespace (${this.pidNamespace})`
    return `jobs of kind "${this.kind}" are already managed by process ${this.pid}${where}`
  }
}

/** A write on behalf of an attempt that is no longer the current one, or that has ended; it was refused. */
export class Superseded extends Schema.TaggedError<Superseded>()("Superseded", {
  jobId: Schema.String,
  attempt: Schema.Int
}) {
  override get message() {
    return `attempt ${this.attempt} of job ${this.jobId} is over; the write was refused`
  }
}

/** The database did not do what it was asked. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  /** What was asked of it, such as `start` or `open`. */
  operation: Schema.String,
  /**
   * - `busy`: another process held its lock for too long
   * - `full`: no space is left
   * - `readonly`: it cannot be written
   * - `corrupt`: the file is damaged or is no database
   * - `replaced`: the file was deleted or replaced while it was open
   * - `version`: it was written by a newer Charlotte, or SQLite is too old
   * - `closed`: the store has been closed
   * - `invalid`: what was asked for cannot be, such as a page of -1 runs; see `cause`
   * - `other`: see `cause`
   */
  reason: Schema.Literal("busy", "full", "readonly", "corrupt", "replaced", "version", "closed", "invalid", "other"),
  cause: Schema.Defect
}) {
  override get message() {
    const detail = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `store: ${this.operation} failed (${this.reason}): ${detail}`
  }
}
