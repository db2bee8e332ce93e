/**
 * The interface of a client for the HTTP API.
 *
 * @since 0.1.0
 */
import type { Array, Duration, Effect, Stream } from "effect"
import type {
  AlreadyAnswered,
  JobEnded,
  JobNotFound,
  NoOpenQuestion,
  ResumeError,
  InvalidJobConfig,
  JobConflict,
  QueueFull,
  ScheduleNotFound,
  ScheduleNotLive,
  ShuttingDown,
  SignalError,
  StartError,
  StoreError,
  SubscriberInUse,
  SubscriberNotFound,
  TooManySignals
} from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { SpendingLimits } from "../../domain/Cost.js"
import type { JobId } from "../../domain/JobId.js"
import type { RecordedChild } from "../../domain/RecordedChild.js"
import type { RecordedStep } from "../../domain/RecordedStep.js"
import type { Question } from "../../domain/Question.js"
import type { PrunedRuns } from "../../domain/Retention.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Start } from "../../domain/StartOptions.js"
import type { Schedule } from "../../domain/Schedule.js"
import type { Subscriber } from "../../domain/Subscriber.js"
import type { Operations } from "../../manager/internal/Operations.js"
import type {
  PauseOptions,
  RemoveProgress,
  RemoveQuery,
  ResumeOptions,
  RetryProgress,
  RetryQuery
} from "../../manager/JobManagerService.js"
import type { AgentStatus, Diff, Health, Job, JobLog, JobPage, JobStep, ServedKind, System } from "../contract/Api.js"
import type {
  ApprovalRefused,
  DiffUnavailable,
  InvalidQuery,
  LogNotFound,
  NoSuchKind,
  NotReady,
  StepNotFound
} from "../contract/errors.js"
import type { Submission } from "../contract/Parameters.js"
import type { ClientError } from "./ClientError.js"
import type { FollowError } from "./EventSource.js"
import type { OfJob, Remote, Response } from "./Remote.js"

/**
 * Every request may fail with a `ClientError`: server not running, connection lost, wrong token or version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends OfJob, Remote<Pick<Operations, "stopAll" | "stopAllBy">>, ScheduleRequests {
  /** The address of the server, for messages. */
  readonly address: string

  /** As `JobManager.start`. With an idempotency key it is safe to retry: the job is started once. */
  readonly start: Start<Submission, StoreError | ClientError>

  /**
   * Starts a job that lands the units that are done of an ended job, or only some of them and all that they depend on; no agent is
   * called. With an idempotency key it is safe to retry.
   */
  readonly land: (
    id: JobId,
    options?: {
      readonly units?: Array.NonEmptyReadonlyArray<string> | undefined
      readonly idempotencyKey?: string | undefined
    }
  ) => Response<JobId, JobNotFound | StartError<"refuse">>

  /** A page of jobs, newest first. */
  readonly list: (query?: JobQuery) => Response<JobPage, NoSuchKind>

  /** The record of a job with its units and tasks. */
  readonly get: (id: JobId) => Response<Job, JobNotFound>

  /** A page of the steps of a job after a `seq`, in order. */
  readonly steps: (
    id: JobId,
    query?: { readonly after?: number; readonly limit?: number }
  ) => Response<ReadonlyArray<RecordedStep>, JobNotFound>

  /** A step with its value, without the secrets that the server knows. */
  readonly step: (id: JobId, name: string) => Response<JobStep, JobNotFound | StepNotFound>

  /** A page of the children of a job before a child, newest first. */
  readonly children: (
    id: JobId,
    query?: { readonly before?: JobId; readonly limit?: number }
  ) => Response<ReadonlyArray<RecordedChild>, JobNotFound>

  /**
   * Everything recorded of a job except its logs, as one JSON document, streamed. Fails with `UnexpectedAnswer` after the last piece
   * if the document was cut off.
   */
  readonly export: (id: JobId) => Stream.Stream<Uint8Array, ClientError | JobNotFound | ShuttingDown | StoreError>

  /**
   * As `JobManager.resume`. `usd` and `tokens` say how much a job of tasks may spend in all from now on.
   */
  readonly resume: (id: JobId, options?: ResumeOptions & SpendingLimits) => Response<void, ResumeError>

  /** As `JobManager.retryMany`, for jobs of a kind. */
  readonly retryMany: (
    query: RetryQuery & { readonly kind: string }
  ) => Stream.Stream<RetryProgress, ClientError | NoSuchKind | ShuttingDown | StoreError>

  /** As `JobManager.removeMany`, for jobs of a kind. */
  readonly removeMany: (
    query: RemoveQuery & { readonly kind: string }
  ) => Stream.Stream<RemoveProgress, ClientError | NoSuchKind | ShuttingDown | StoreError>

  /** As `JobManager.signal`. */
  readonly signal: (
    id: JobId,
    name: string,
    payload?: unknown,
    options?: { readonly by?: string | undefined }
  ) => Response<void, SignalError>

  /** Approves the result of a job with `land: ask`, by its commit; `by` is recorded as claimed. */
  readonly approve: (
    id: JobId,
    approval: { readonly commit: string; readonly by?: string | undefined }
  ) => Response<void, ApprovalRefused | JobNotFound | TooManySignals>

  /** Rejects the result: with a unit, that continues with one more task, whose prompt is the text; without one, the job fails. */
  readonly reject: (
    id: JobId,
    rejection: {
      readonly because: string
      readonly unit?: string | undefined
      readonly commit?: string | undefined
      readonly by?: string | undefined
    }
  ) => Response<void, ApprovalRefused | JobNotFound | TooManySignals>

  /** Answers the open question of a unit, or of the only unit that has one; `by` names the sender, unverified. */
  readonly answer: (
    id: JobId,
    answer: { readonly unit?: string | undefined; readonly text: string; readonly by?: string | undefined }
  ) => Response<Question, AlreadyAnswered | JobEnded | JobNotFound | NoOpenQuestion>

  /** As `Runs.pin`. */
  readonly pin: (id: JobId, options?: { readonly by?: string | undefined }) => Response<void, JobNotFound>

  /** As `Runs.unpin`. */
  readonly unpin: (id: JobId, options?: { readonly by?: string | undefined }) => Response<void, JobNotFound>

  /** As `Runs.prune`. */
  readonly prune: (options?: {
    readonly kind?: string | undefined
    readonly dryRun?: boolean | undefined
    readonly by?: string | undefined
  }) => Response<ReadonlyArray<PrunedRuns>, NoSuchKind>

  /** The kinds of jobs of the server, how many jobs of each run, may run and are pending, and which are paused. */
  readonly kinds: Response<ReadonlyArray<ServedKind>>

  /** As `JobManager.pause`, of a kind. */
  readonly pause: (kind: string, options?: PauseOptions) => Response<void, NoSuchKind>

  /** As `JobManager.unpause`, of a kind. */
  readonly unpause: (kind: string, options?: PauseOptions) => Response<void, NoSuchKind>

  /** As `JobManager.limit`, of a kind. */
  readonly limit: (
    kind: string,
    maxJobs: number | "default",
    options?: PauseOptions
  ) => Response<void, NoSuchKind | ShuttingDown>

  /**
   * As `JobManager.events`. Reconnects when the connection is lost, for up to `patience`; delivers each event once, in order.
   */
  readonly events: (id: JobId, options?: Patience & { readonly after?: number }) => Stream.Stream<JobEvent, FollowError>

  /** As `JobManager.allEvents`; reconnects as `events` does. */
  readonly allEvents: (
    options?: Patience & { readonly after?: number | "latest"; readonly kind?: string }
  ) => Stream.Stream<JobEvent, FollowError>

  /** The latest log of a task, or a log file that an event names. */
  readonly log: (
    id: JobId,
    query: LogQuery
  ) => Stream.Stream<Uint8Array, ClientError | JobNotFound | LogNotFound | InvalidQuery | ShuttingDown | StoreError>

  /** The logs of a job, on all nodes of a cluster, by the time of the last write; `file` is for `log`. */
  readonly logFiles: (id: JobId) => Response<ReadonlyArray<JobLog>, JobNotFound>

  /**
   * A page of the files that a job, or one of its units, has changed: from its start to its last commit, even while it is running; or
   * what one task of a unit has changed.
   * Pass `next` as `after` for the next page.
   */
  readonly diff: (id: JobId, query?: DiffQuery) => Response<Diff, JobNotFound | DiffUnavailable | InvalidQuery>

  /** How busy the server is. */
  readonly system: Response<System>

  /** The agents that jobs can use, with their running turns and the usage limits that they have reached. */
  readonly agents: Response<ReadonlyArray<AgentStatus>>

  /** The subscribers of applications on the database of the server, by name. */
  readonly subscribers: Response<ReadonlyArray<Subscriber>>

  /** Has a subscriber handle the events again that it has put aside. Returns how many there were. */
  readonly retrySubscriber: (name: string) => Response<number, SubscriberNotFound>

  /** Removes a subscriber that no process runs. */
  readonly removeSubscriber: (
    name: string,
    options?: { readonly by?: string | undefined }
  ) => Response<void, SubscriberInUse | SubscriberNotFound>

  /** Requests a shutdown. The server responds first, then shuts down. */
  readonly shutdown: Effect.Effect<void, ClientError>

  /** Liveness: version and process id of the server. */
  readonly health: Effect.Effect<Health, ClientError>

  /** Readiness: fails with `NotReady` when the server cannot run or record jobs. */
  readonly ready: Effect.Effect<void, NotReady | ClientError>
}

/**
 * Requests about schedules.
 *
 * @since 0.2.0
 * @category models
 */
export interface ScheduleRequests {
  /** The schedules on the database of the server, by kind and name. */
  readonly schedules: Response<ReadonlyArray<Schedule>>

  /** Starts a job of a schedule now, which the server has to run. */
  readonly runSchedule: (
    kind: string,
    name: string,
    options?: PauseOptions
  ) => Response<JobId, InvalidJobConfig | JobConflict | QueueFull | ScheduleNotFound | ScheduleNotLive>

  /** Pauses a schedule: it starts no job until it is unpaused. */
  readonly pauseSchedule: (kind: string, name: string, options?: PauseOptions) => Response<void, ScheduleNotFound>

  /** Ends the pause of a schedule: it starts jobs from its next tick on. */
  readonly unpauseSchedule: (kind: string, name: string, options?: PauseOptions) => Response<void, ScheduleNotFound>

  /** Removes a schedule that no process runs any more. */
  readonly removeSchedule: (kind: string, name: string, options?: PauseOptions) => Response<void, ScheduleNotFound>
}

/**
 * How an event stream reconnects.
 *
 * @since 0.1.0
 * @category options
 */
export interface Patience {
  /** How long to try to reconnect; 1 minute by default. */
  readonly patience?: Duration.DurationInput
  /** Called with `lost` when the connection is lost and the client reconnects, and with `back` when it has reconnected. */
  readonly onConnection?: (state: "lost" | "back") => Effect.Effect<void>
}

/**
 * Filters of a list of jobs.
 *
 * @since 0.1.0
 * @category models
 */
export interface JobQuery {
  /** All kinds of the server by default. */
  readonly kind?: string
  readonly status?: RunStatus
  /** Only jobs that another job retries, or with `false` only the others. */
  readonly retried?: boolean
  /** Only failed children whose parents handle the failure, or with `false` only the others. */
  readonly handled?: boolean
  /** A job must have all of these. */
  readonly labels?: { readonly [name: string]: string }
  /**
   * Text of at most 200 characters: a job must have all of its words, or words that begin with them, in its labels, its config,
   * its error or the titles of its tasks.
   */
  readonly q?: string
  /** `queue`: the pending jobs of a kind, in the order in which they will start; `before` then means after that job. */
  readonly order?: "queue"
  /** Jobs per page, 1 to 1000; 100 by default. */
  readonly limit?: number
  /** Only jobs older than this one; `next` of the previous page. */
  readonly before?: JobId
}

/**
 * The part of a diff to get.
 *
 * @since 0.2.0
 * @category models
 */
export interface DiffQuery {
  /** Only this unit; without it, all that is merged into the result. */
  readonly unit?: string
  /** Only this completed task of the unit. */
  readonly task?: number
  /** `next` of the previous page. */
  readonly after?: string
}

/**
 * A log: the latest of a task, or a file that an event names.
 *
 * @since 0.1.0
 * @category models
 */
export type LogQuery = ({ readonly unit: string; readonly task: number } | { readonly file: string }) & {
  /** Offset in bytes; 0 by default. */
  readonly from?: number
  /** Offset in bytes, exclusive; the end of the file by default. */
  readonly to?: number
  /** Keep reading until the task, or the job, has ended. */
  readonly follow?: boolean
}
