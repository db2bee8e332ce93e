/**
 * The errors of the library. Each carries its data, from which its message is made.
 *
 * @since 0.1.0
 */
import { DateTime, Duration, Schema } from "effect"
import { RunStatus } from "./RunStatus.js"

/**
 * All permits are in use, or waiting runs will take the free ones; nothing was written.
 *
 * @since 0.1.0
 * @category errors
 */
export class MaxJobsReached extends Schema.TaggedError<MaxJobsReached>()("MaxJobsReached", {
  /** The limit: of the jobs of the kind, or with the reason `group`, of the jobs of the group. */
  maxJobs: Schema.Int,
  /**
   * `permits`: as many jobs run as allowed; `queue`: as many runs are due as permits are free; `group`: as many jobs of the group run, or
   * wait, as may run at once. Version 0.1.0 does not say which.
   */
  reason: Schema.optionalWith(Schema.Literal("permits", "queue", "group"), { default: () => "permits" as const }),
  /** With the reason `group`: the group. */
  group: Schema.optional(Schema.String)
}) {
  override get message() {
    if (this.reason === "group") return `max jobs per group (${this.maxJobs}) reached by group "${this.group ?? ""}"`
    return this.reason === "queue"
      ? `runs that wait take all free permits (max jobs ${this.maxJobs})`
      : `max jobs (${this.maxJobs}) reached`
  }
}

/**
 * No attempt of a job of this kind begins until the kind is unpaused; nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class KindPaused extends Schema.TaggedError<KindPaused>()("KindPaused", {
  kind: Schema.String
}) {
  override get message() {
    return `jobs of kind "${this.kind}" are paused`
  }
}

/**
 * Another job holds the same key: it runs, is parked, was interrupted, or is the first to wait for the key. Nothing was
 * written.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobConflict extends Schema.TaggedError<JobConflict>()("JobConflict", {
  /** The job that holds the key. */
  jobId: Schema.String,
  key: Schema.String,
  /** The name of the key, such as a branch and the path of its repository; without it the message shows the key. */
  keyName: Schema.optional(Schema.String),
  /** The status of that job; `running` when it is left out. */
  status: Schema.optional(RunStatus),
  /** The next attempt of that job, if it is parked because an attempt has failed. */
  retry: Schema.optional(Schema.Struct({ n: Schema.Int, of: Schema.Int, at: Schema.DateTimeUtc }))
}) {
  override get message() {
    const { jobId, key, keyName = key, retry, status = "running" } = this
    if (status === "running") return `job ${jobId} already works on ${keyName}`
    const next =
      retry === undefined
        ? ""
        : `, retry ${retry.n} of ${retry.of} at ${DateTime.formatIso(retry.at).slice(0, 16).replace("T", " ")} UTC`
    return `job ${jobId}, which is ${status}${next}, holds ${keyName}; resume it, stop it, or wait until it has ended`
  }
}

/**
 * The number of pending runs of this kind has reached `maxQueued`; nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  maxQueued: Schema.Int
}) {
  override get message() {
    return `the queue is full: ${this.maxQueued} runs are pending`
  }
}

/**
 * The idempotency key belongs to a run that was started with another configuration or other options; nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {
  key: Schema.String,
  /** The run that was started with the key. */
  jobId: Schema.String
}) {
  override get message() {
    return `the idempotency key ${this.key} was used for job ${this.jobId} with another body or other options; use a new key`
  }
}

/**
 * The job has ended and takes no more signals.
 *
 * @since 0.2.0
 * @category errors
 */
export class JobEnded extends Schema.TaggedError<JobEnded>()("JobEnded", {
  jobId: Schema.String,
  status: RunStatus
}) {
  override get message() {
    return `job ${this.jobId} has ended: it is ${this.status}`
  }
}

/**
 * The question was answered before; nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class AlreadyAnswered extends Schema.TaggedError<AlreadyAnswered>()("AlreadyAnswered", {
  jobId: Schema.String,
  unit: Schema.String,
  /** Who has answered it. */
  by: Schema.optional(Schema.String)
}) {
  override get message() {
    return `the question of unit ${this.unit} of job ${this.jobId} was already answered${this.by === undefined ? "" : ` by ${this.by}`}`
  }
}

/**
 * The answer is for no question, or for one of several; nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class NoOpenQuestion extends Schema.TaggedError<NoOpenQuestion>()("NoOpenQuestion", {
  jobId: Schema.String,
  /** The unit that the answer names. */
  unit: Schema.optional(Schema.String),
  /** The units that wait for an answer. */
  waiting: Schema.Array(Schema.String)
}) {
  override get message() {
    const { jobId, unit, waiting } = this
    const others = waiting.join(", ")
    if (unit !== undefined)
      return `unit ${unit} of job ${jobId} waits for no answer${others === "" ? "" : `; these units do: ${others}`}`
    return others === ""
      ? `job ${jobId} waits for no answer`
      : `several units of job ${jobId} wait for an answer, so name one of them: ${others}`
  }
}

/**
 * The signal was rejected: the job does not accept its name or its payload. Nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class InvalidSignal extends Schema.TaggedError<InvalidSignal>()("InvalidSignal", {
  signal: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `invalid signal ${JSON.stringify(this.signal)}: ${this.reason}`
  }
}

/**
 * The job has been sent as many signals as it can keep since it last began; nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class TooManySignals extends Schema.TaggedError<TooManySignals>()("TooManySignals", {
  jobId: Schema.String,
  limit: Schema.Int
}) {
  override get message() {
    return `job ${this.jobId} was sent ${this.limit} signals since it last began, and keeps no more`
  }
}

/**
 * The configuration was rejected; `issues` names every bad field.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidJobConfig extends Schema.TaggedError<InvalidJobConfig>()("InvalidJobConfig", {
  issues: Schema.Array(
    Schema.Struct({
      /** The path of the field, such as `["labels", "team"]`; empty for the configuration as a whole. */
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

/**
 * No run of this manager's kind has that id.
 *
 * @since 0.1.0
 * @category errors
 */
export class JobNotFound extends Schema.TaggedError<JobNotFound>()("JobNotFound", {
  jobId: Schema.String
}) {
  override get message() {
    return `job ${this.jobId} not found`
  }
}

/**
 * The run is neither interrupted nor parked, or an interrupted one could not be continued.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotResumable extends Schema.TaggedError<NotResumable>()("NotResumable", {
  jobId: Schema.String,
  status: RunStatus,
  /** Why an interrupted or waiting run could not be continued. */
  reason: Schema.optional(Schema.String)
}) {
  override get message() {
    return `job ${this.jobId} cannot be resumed: ${this.reason ?? `it is ${this.status}`}`
  }
}

/**
 * The run cannot be retried: it has not ended, it has completed, or its record no longer fits its kind. Nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class NotRetryable extends Schema.TaggedError<NotRetryable>()("NotRetryable", {
  jobId: Schema.String,
  status: RunStatus,
  /** The field that does not decode, as a path: `config.to`. */
  field: Schema.optional(Schema.String),
  /** What is wrong with the field, or why else a run that has ended cannot be retried. */
  reason: Schema.optional(Schema.String)
}) {
  override get message() {
    const { field, jobId, reason, status } = this
    const problem = field === undefined ? (reason ?? `it is ${status}`) : `${field}: ${reason ?? "does not decode"}`
    return `job ${jobId} cannot be retried: ${problem}`
  }
}

/**
 * The run cannot be removed yet. Nothing was changed.
 *
 * @since 0.2.0
 * @category errors
 */
export class NotRemovable extends Schema.TaggedError<NotRemovable>()("NotRemovable", {
  jobId: Schema.String,
  /**
   * - `pinned`: a run of its chain is pinned, and pinned runs are removed only with `pinned`
   * - `parent`: its parent is not over, and may still read how it has ended
   * - `active`: a run of its chain is not over
   * - `child`: a child is not over
   * - `process`: a process of the job may still be alive
   */
  reason: Schema.Literal("pinned", "parent", "active", "child", "process"),
  /** The other job that it depends on. */
  other: Schema.optional(Schema.String)
}) {
  override get message() {
    const { jobId, other, reason } = this
    const run = other === undefined ? "it" : `job ${other}, which is of its chain,`
    const why = {
      pinned: `${run} is pinned`,
      parent: `its parent ${other} is not over, and may still read how it has ended`,
      active: `${run} is not over`,
      child: `its child ${other} is not over`,
      process: `a process of ${other === undefined ? "the job" : `job ${other}, which is of its chain,`} may still be alive`
    }[reason]
    return `job ${jobId} cannot be removed: ${why}`
  }
}

/**
 * The run cannot be rescheduled: it runs or has ended, or it is to begin at a time though it has begun before. Nothing was written.
 *
 * @since 0.2.0
 * @category errors
 */
export class NotReschedulable extends Schema.TaggedError<NotReschedulable>()("NotReschedulable", {
  jobId: Schema.String,
  status: RunStatus,
  /** Why a run that waits cannot be rescheduled. */
  reason: Schema.optional(Schema.String)
}) {
  override get message() {
    return `job ${this.jobId} cannot be rescheduled: ${this.reason ?? `it is ${this.status}`}`
  }
}

/**
 * The job did not end by the deadline; it stays listed as `stopping`, and keeps its permit, until it ends.
 *
 * @since 0.1.0
 * @category errors
 */
export class StopTimedOut extends Schema.TaggedError<StopTimedOut>()("StopTimedOut", {
  jobId: Schema.String,
  elapsed: Schema.DurationFromMillis
}) {
  override get message() {
    return `job ${this.jobId} is still running ${Duration.format(this.elapsed)} after the stop request`
  }
}

/**
 * A child of a job (`job.child`) has ended neither with a result nor with a typed failure: it was cancelled, died, exceeded its time limit,
 * or could not be continued after crashes. A retry of the parent retries it.
 *
 * @since 0.2.0
 * @category errors
 */
export class ChildFailed extends Schema.TaggedError<ChildFailed>()("ChildFailed", {
  /** The name of the child. */
  child: Schema.String,
  jobId: Schema.String,
  kind: Schema.String,
  status: Schema.Literal("failed", "cancelled"),
  /** The error of the child; its `kind` is an `ErrorKind` other than `failure`. */
  error: Schema.optional(Schema.Struct({ kind: Schema.String, error: Schema.Unknown }))
}) {
  override get message() {
    const how = this.status === "cancelled" ? "was cancelled" : `has failed (${this.error?.kind ?? "unknown"})`
    return `child ${this.child}, job ${this.jobId} of kind ${this.kind}, ${how}; retry its parent to retry it, too`
  }
}

/**
 * The manager is shutting down and accepts no more jobs.
 *
 * @since 0.1.0
 * @category errors
 */
export class ShuttingDown extends Schema.TaggedError<ShuttingDown>()("ShuttingDown", {}) {
  override get message() {
    return "the job manager is shutting down"
  }
}

/**
 * The record does not decode with the schemas of its kind, as after an incompatible change of a schema. `Runs` still reads it, raw.
 *
 * @since 0.2.0
 * @category errors
 */
export class UndecodableRun extends Schema.TaggedError<UndecodableRun>()("UndecodableRun", {
  jobId: Schema.String,
  /** The first field that does not decode, as a path: `config.to`, `result.messageId`, `error.code`. */
  field: Schema.String,
  /** What is wrong with the field. */
  issue: Schema.String
}) {
  override get message() {
    return `the record of job ${this.jobId} cannot be decoded: ${this.field}: ${this.issue}`
  }
}

/**
 * A live manager of the same kind owns this database.
 *
 * @since 0.1.0
 * @category errors
 */
export class AlreadyManaged extends Schema.TaggedError<AlreadyManaged>()("AlreadyManaged", {
  kind: Schema.String,
  /** The process of the other manager. */
  pid: Schema.Int,
  /** The pid namespace of that process, if it is another namespace: the manager runs in another container. */
  pidNamespace: Schema.optional(Schema.String),
  /** The machine of that process, if several machines may share the database: its host name, and more after a slash. */
  machine: Schema.optional(Schema.String),
  /** The address of that process, if it is a node of a cluster. */
  node: Schema.optional(Schema.String),
  /** Whether it is this process, which has built the layer of the manager twice. */
  isSelf: Schema.optional(Schema.Boolean)
}) {
  override get message() {
    if (this.isSelf === true) {
      return `jobs of kind "${this.kind}" are already managed in this process; build the layer of their manager once, and share it`
    }
    const node = this.node === undefined ? "" : `, the node ${this.node} of a cluster`
    const container = this.pidNamespace === undefined ? "" : ` of another pid namespace (${this.pidNamespace})`
    const machine = this.machine === undefined ? "" : ` on ${this.machine.replace(/\/.*/, "")}`
    return `jobs of kind "${this.kind}" are already managed by process ${this.pid}${container}${machine}${node}`
  }
}

/**
 * A subscriber of this name is live on this store already.
 *
 * @since 0.2.0
 * @category errors
 */
export class AlreadySubscribed extends Schema.TaggedError<AlreadySubscribed>()("AlreadySubscribed", {
  /** Its name. */
  subscriber: Schema.String
}) {
  override get message() {
    return `a subscriber "${this.subscriber}" is live on this store already; choose another name, or build its layer once`
  }
}

/**
 * There is no subscriber of this name.
 *
 * @since 0.2.0
 * @category errors
 */
export class SubscriberNotFound extends Schema.TaggedError<SubscriberNotFound>()("SubscriberNotFound", {
  /** Its name. */
  subscriber: Schema.String
}) {
  override get message() {
    return `no subscriber "${this.subscriber}"`
  }
}

/**
 * A process runs the subscriber, so it cannot be removed.
 *
 * @since 0.2.0
 * @category errors
 */
export class SubscriberInUse extends Schema.TaggedError<SubscriberInUse>()("SubscriberInUse", {
  /** Its name. */
  subscriber: Schema.String
}) {
  override get message() {
    return `a process runs the subscriber "${this.subscriber}"; stop that process first`
  }
}

/**
 * A schedule has a cron expression or a time zone that does not exist, or it never has a tick.
 *
 * @since 0.2.0
 * @category errors
 */
export class InvalidCron extends Schema.TaggedError<InvalidCron>()("InvalidCron", {
  /** The name of the schedule. */
  schedule: Schema.String,
  cron: Schema.String,
  timeZone: Schema.String,
  issue: Schema.String
}) {
  override get message() {
    return `the schedule "${this.schedule}" (${this.cron}, ${this.timeZone}) is invalid: ${this.issue}`
  }
}

/**
 * There is no schedule of this name.
 *
 * @since 0.2.0
 * @category errors
 */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  kind: Schema.String,
  /** Its name. */
  schedule: Schema.String
}) {
  override get message() {
    return `no schedule "${this.schedule}" of kind "${this.kind}"`
  }
}

/**
 * This process does not run the schedule, so it cannot start a job of it.
 *
 * @since 0.2.0
 * @category errors
 */
export class ScheduleNotLive extends Schema.TaggedError<ScheduleNotLive>()("ScheduleNotLive", {
  kind: Schema.String,
  /** Its name. */
  schedule: Schema.String
}) {
  override get message() {
    return `this process does not run the schedule "${this.schedule}" of kind "${this.kind}"; ask a process that has it`
  }
}

/**
 * Another node of the cluster has this address.
 *
 * @since 0.2.0
 * @category errors
 */
export class NodeConflict extends Schema.TaggedError<NodeConflict>()("NodeConflict", {
  kind: Schema.String,
  /** `HOST:PORT`. */
  address: Schema.String
}) {
  override get message() {
    return `another node for jobs of kind "${this.kind}" has the address ${this.address}; give each node its own`
  }
}

/**
 * A rejected write: its attempt has ended, or a later attempt has replaced it.
 *
 * @since 0.1.0
 * @category errors
 */
export class Superseded extends Schema.TaggedError<Superseded>()("Superseded", {
  jobId: Schema.String,
  attempt: Schema.Int
}) {
  override get message() {
    return `attempt ${this.attempt} of job ${this.jobId} has ended; the write was rejected`
  }
}

/**
 * An operation of the database failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  /** The operation, such as `start` or `open`. */
  operation: Schema.String,
  /**
   * - `busy`: another process or transaction held a lock for too long
   * - `full`: no space is left on the disk
   * - `readonly`: the file cannot be written, or the server takes no writes
   * - `corrupt`: the file is damaged or not a database
   * - `replaced`: the file was deleted or replaced while it was open
   * - `unreachable`: no connection to the database server
   * - `version`: it was written by a newer Charlotte, or the database or its driver is too old
   * - `closed`: the store or the manager has been closed
   * - `invalid`: the arguments are invalid, such as a page of -1 runs; see `cause`
   * - `other`: see `cause`
   */
  reason: Schema.Literal(
    "busy",
    "full",
    "readonly",
    "corrupt",
    "replaced",
    "unreachable",
    "version",
    "closed",
    "invalid",
    "other"
  ),
  cause: Schema.Defect
}) {
  override get message() {
    const detail = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `store: ${this.operation} failed (${this.reason}): ${detail}`
  }
}

/**
 * The errors of `start`, besides `StoreError`. With `whenFull: "queue"` it never fails with `MaxJobsReached` or `KindPaused`.
 *
 * @since 0.2.0
 * @category errors
 */
export type StartError<When extends "refuse" | "queue" = "refuse" | "queue"> =
  | JobConflict
  | InvalidJobConfig
  | QueueFull
  | IdempotencyKeyReused
  | ShuttingDown
  | ([When] extends ["queue"] ? never : MaxJobsReached | KindPaused)

/**
 * The errors of `stop`.
 *
 * @since 0.2.0
 * @category errors
 */
export type StopError = JobNotFound | StopTimedOut | StoreError

/**
 * The errors of `retry`.
 *
 * @since 0.2.0
 * @category errors
 */
export type RetryError = JobConflict | JobNotFound | NotRetryable | QueueFull | ShuttingDown | StoreError

/**
 * The errors of `remove`.
 *
 * @since 0.2.0
 * @category errors
 */
export type RemoveError = JobNotFound | NotRemovable | StopTimedOut | StoreError

/**
 * The errors of `reschedule`.
 *
 * @since 0.2.0
 * @category errors
 */
export type RescheduleError = InvalidJobConfig | JobNotFound | NotReschedulable | StoreError

/**
 * The errors of `signal`.
 *
 * @since 0.2.0
 * @category errors
 */
export type SignalError = JobNotFound | JobEnded | InvalidSignal | TooManySignals | StoreError

/**
 * Why an attempt of a waiting run does not begin.
 *
 * @since 0.2.0
 * @category errors
 */
export type BeginError = JobNotFound | NotResumable | MaxJobsReached | KindPaused | ShuttingDown | StoreError

/**
 * The errors of `resume`.
 *
 * @since 0.2.0
 * @category errors
 */
export type ResumeError = BeginError | JobConflict
