/**
 * The record of a job: one row of history, which is kept as long as the retention of its kind says.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { SpendingLimits } from "./Cost.js"
import { JobId } from "./JobId.js"
import { RunStatus } from "./RunStatus.js"

/**
 * Why a run ended without completing.
 *
 * - `failure`: the orchestrator failed with a typed error
 * - `defect`: the orchestrator, or one of its finalizers, died
 * - `interrupted`: the orchestrator interrupted itself
 * - `recovery`: the run could not be begun or continued, such as after a change of its schema or three crashes in a row
 * - `timeout`: an attempt exceeded the time limit of its kind
 *
 * @since 0.2.0
 * @category models
 */
export const ErrorKind = Schema.Literal("failure", "defect", "interrupted", "recovery", "timeout")

/**
 * Why a run ended without completing.
 *
 * @since 0.2.0
 * @category models
 */
export type ErrorKind = typeof ErrorKind.Type

/**
 * The error of a run that ended without completing.
 *
 * @since 0.1.0
 * @category models
 */
export class RunError extends Schema.Class<RunError>("charlotte/RunError")({
  /** An `ErrorKind`, or any text: a later version may have recorded another. */
  kind: Schema.String,
  /** The error as JSON; an `Error` keeps its name and message. */
  error: Schema.Unknown,
  /** The whole cause, pretty-printed. */
  cause: Schema.String
}) {}

/**
 * A signal that cannot be sent: a run that parks for it waits until it is resumed.
 *
 * @since 0.2.0
 * @category constants
 */
export const resumeSignal = "charlotte.resume"

/**
 * The signal by which a person approves or rejects the result of a job. Only `approve` and `reject` send it.
 *
 * @since 0.2.0
 * @category constants
 */
export const approvalSignal = "charlotte.approval"

/**
 * The signal by which a person who resumes a job sets how much it may spend in all. Only `resume` sends it.
 *
 * @since 0.2.0
 * @category constants
 */
export const limitsSignal = "charlotte.limits"

/**
 * A result that a person is asked to approve: the commit that lands, and the commit with which to compare it.
 *
 * @since 0.2.0
 * @category models
 */
export const Approval = Schema.Struct({ commit: Schema.String, base: Schema.String })

/**
 * A result that a person is asked to approve.
 *
 * @since 0.2.0
 * @category models
 */
export type Approval = typeof Approval.Type

/**
 * The next attempt of a job whose attempt has failed.
 *
 * @since 0.2.0
 * @category models
 */
export const NextTry = Schema.Struct({
  /** The number of this retry, from 1. */
  n: Schema.Int,
  /** The maximum number of retries. */
  of: Schema.Int,
  /** The error of the attempt that failed. */
  error: Schema.Struct(RunError.fields).omit("cause")
})

/**
 * The next attempt of a job whose attempt has failed.
 *
 * @since 0.2.0
 * @category models
 */
export type NextTry = typeof NextTry.Type

/**
 * What a parked run waits for: a time, a signal, or whichever comes first, or its children.
 *
 * @since 0.2.0
 * @category models
 */
export class Parked extends Schema.Class<Parked>("charlotte/Parked")({
  reason: Schema.String,
  until: Schema.optional(Schema.DateTimeUtc),
  /** Whether it only tries again at `until`: the end of what it waits for is unknown. */
  tentative: Schema.optional(Schema.Boolean),
  signal: Schema.optional(Schema.String),
  /** The result for which it waits to be approved. */
  approval: Schema.optional(Approval),
  /** How many questions of agents it waits for; an answer to one of them wakes it. */
  questions: Schema.optional(Schema.Int),
  /** How many children it waits for; the end of one of them wakes it. */
  children: Schema.optional(Schema.Int),
  /** How many ends of children its attempt has read; one more wakes it. */
  childEnds: Schema.optional(Schema.Int),
  /** How many decisions about it its attempt has read; one more wakes it. */
  decisions: Schema.optional(Schema.Int),
  /** The limits of what it may spend that it has reached; it continues once a person resumes it with others. */
  limits: Schema.optional(SpendingLimits),
  /** Why the next attempt is a retry; missing if the job has parked by itself. */
  retry: Schema.optional(NextTry)
}) {}

/**
 * What a run that is neither running nor over waits for: a free permit, a time, a key that another job holds, a signal, or the end of a
 * child. `paused`: it would wait for a permit, but its kind is paused. `group`: as many jobs of its group run as allowed, or another run
 * of the group is first.
 *
 * @since 0.2.0
 * @category models
 */
export type WaitsFor = "permit" | "time" | "key" | "signal" | "child" | "paused" | "group"

/**
 * What a run waits for that begins as soon as it may: the run of a group waits for its group.
 *
 * @internal
 */
export const readiness = (group: string | undefined): "permit" | "group" => (group === undefined ? "permit" : "group")

/**
 * Whether a run begins as soon as it may.
 *
 * @internal
 */
export const isReady = (waitsFor: string | undefined): boolean => waitsFor === "permit" || waitsFor === "group"

/**
 * A kind of which no attempt begins until it is unpaused.
 *
 * @since 0.2.0
 * @category models
 */
export class PausedKind extends Schema.Class<PausedKind>("charlotte/PausedKind")({
  kind: Schema.String,
  at: Schema.DateTimeUtc,
  /** Who has paused it, as claimed. */
  by: Schema.optional(Schema.String)
}) {}

/**
 * How far a job is, as it has reported last (`job.progress`).
 *
 * @since 0.2.0
 * @category models
 */
export class Progress extends Schema.Class<Progress>("charlotte/Progress")({
  done: Schema.NonNegativeInt,
  total: Schema.NonNegativeInt,
  /** What it is doing, at most 200 bytes. */
  text: Schema.optional(Schema.String)
}) {}

/**
 * Spans of a job, each as a W3C `traceparent`. Each job is a separate trace, which continues in each of its attempts.
 *
 * @since 0.2.0
 * @category models
 */
export class RunTrace extends Schema.Class<RunTrace>("charlotte/RunTrace")({
  /** The span of the first attempt; missing until that has begun. */
  root: Schema.optional(Schema.String),
  /** The span that started the job; the root span is linked to it. */
  startedBy: Schema.optional(Schema.String)
}) {}

/**
 * The record of a job. `attempt` counts from 1; times are in UTC.
 *
 * @since 0.1.0
 * @category models
 */
export class Run extends Schema.Class<Run>("charlotte/Run")({
  id: JobId,
  /** The kind of the manager that runs the job. */
  kind: Schema.NonEmptyString,
  status: RunStatus,
  /** 1 for the first attempt, and one more with each continuation. */
  attempt: Schema.Int.pipe(Schema.positive()),
  /** The number of retries so far; missing if there was none. */
  tries: Schema.optional(Schema.Int),
  /** The encoded configuration, with the defaults filled in. */
  config: Schema.Unknown,
  labels: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** Among the runs that wait for a permit, runs of higher priority begin first. */
  priority: Schema.Int.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => 0)
  ),
  createdAt: Schema.DateTimeUtc,
  /** The group of the run, of which at most `maxPerGroup` jobs run at once. */
  group: Schema.optional(Schema.String),
  /** A pending run does not begin before this time. */
  startAt: Schema.optional(Schema.DateTimeUtc),
  /** A `WaitsFor`, or any text: a later version may have recorded another. */
  waitsFor: Schema.optional(Schema.String),
  /** What a parked run waits for. */
  parked: Schema.optional(Parked),
  /** When the current attempt began. */
  startedAt: Schema.optional(Schema.DateTimeUtc),
  /** When the run reached a terminal status. */
  endedAt: Schema.optional(Schema.DateTimeUtc),
  /** The run that this one retries. */
  retryOf: Schema.optional(JobId),
  /** The first run of the retries that this run continues, to which its steps belong; missing if it is the first. */
  chain: Schema.optional(JobId),
  /** The job that has started this one (`job.child`). */
  parent: Schema.optional(JobId),
  /** The run that retries this one. */
  retriedAs: Schema.optional(JobId),
  /** Whether it has failed as a child whose parent is not over, or has received the failure. */
  handled: Schema.optional(Schema.Boolean),
  /** How far it is; missing if it has reported nothing since its first attempt or its last retry. */
  progress: Schema.optional(Progress),
  /** Whether the run is kept regardless of the retention of its kind. */
  pinned: Schema.optional(Schema.Boolean),
  /**
   * What keeps nodes of these versions of the kind from decoding the waiting run, by version, in a cluster; missing if none has refused
   * it since it last waited.
   */
  refusedBy: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  /** When the first of them has refused it: ten minutes later it fails, unless a node of another version has begun it. */
  refusedAt: Schema.optional(Schema.DateTimeUtc),
  /** The trace; missing if no tracer was installed when the run was started and begun. */
  trace: Schema.optional(RunTrace),
  /** The success value of the orchestrator, as JSON. */
  result: Schema.optional(Schema.Unknown),
  error: Schema.optional(RunError)
}) {}

/**
 * The fields that all runs have, with the configuration as the schema of its kind decodes it.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunBase<out Config> extends Omit<Run, "status" | "config" | "result" | "error"> {
  readonly config: Config
}

/**
 * A run that has completed, with its success value.
 *
 * @since 0.2.0
 * @category models
 */
export interface CompletedRun<out Config, out Success> extends RunBase<Config> {
  readonly status: "completed"
  readonly result: Success
  readonly error?: never
}

/**
 * A failed run. Only an error of kind `failure` is a typed failure of the job itself.
 *
 * @since 0.2.0
 * @category models
 */
export interface FailedRun<out Config, out Error> extends RunBase<Config> {
  readonly status: "failed"
  readonly result?: never
  readonly error:
    | { readonly kind: "failure"; readonly error: Error; readonly cause: string }
    | {
        readonly kind: Exclude<ErrorKind, "failure">
        readonly error: unknown
        readonly cause: string
      }
}

/**
 * A run that was cancelled, or is not over.
 *
 * @since 0.2.0
 * @category models
 */
export interface OtherRun<out Config> extends RunBase<Config> {
  readonly status: Exclude<RunStatus, "completed" | "failed">
  readonly result?: never
  /** The defect of a finalizer of a cancelled run. */
  readonly error?: RunError
}

/**
 * The record of a job of a kind (`JobKind`), decoded by the schemas of the kind.
 *
 * @since 0.2.0
 * @category models
 */
export type TypedRun<Config, Success, Error> =
  CompletedRun<Config, Success> | FailedRun<Config, Error> | OtherRun<Config>
