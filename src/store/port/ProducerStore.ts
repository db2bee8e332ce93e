/**
 * What producers write, in any process, and the manager of the kind takes up: runs, and requests about runs.
 */
import type { DateTime, Duration, Effect, Option, Scope } from "effect"
import type {
  IdempotencyKeyReused,
  JobConflict,
  JobEnded,
  JobNotFound,
  QueueFull,
  StoreError,
  TooManySignals
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Sender } from "../../domain/Sender.js"
import type { Notifier } from "./ChangeNotifier.js"
import type { NewSignal } from "./RunSignals.js"
import type { NewRun } from "./RunWrites.js"

export interface ProducerStore {
  /**
   * Records a pending run, which gets its first event from its manager. Returns its id, or the id of the existing run with its key or
   * idempotency key. Running jobs that it replaces are requested to stop.
   */
  readonly submit: (run: NewRun) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /** Records a signal for the manager to apply. */
  readonly requestSignal: (
    signal: Omit<NewSignal, "request">
  ) => Effect.Effect<void, JobNotFound | JobEnded | TooManySignals | StoreError>

  /** Cancels a pending run. For another run that has not ended, it records for the manager that it is to be stopped. */
  readonly requestStop: (stop: NewStop) => Effect.Effect<void, JobNotFound | StoreError>

  /** Records for the manager that a job is to be resumed. */
  readonly requestResume: (resume: NewResume) => Effect.Effect<void, JobNotFound | StoreError>

  /** The first requests about jobs of a kind, at most 1,000, in order. */
  readonly requests: (kind: string) => Effect.Effect<ReadonlyArray<Request>, StoreError>

  /**
   * Removes a request that is applied, and notifies of what its producer may have committed about the job, and of the requests that
   * `requests` now returns.
   */
  readonly settle: (request: Request) => Effect.Effect<void, StoreError>

  /** The kinds that have pending runs, and how many. */
  readonly waiting: Effect.Effect<ReadonlyArray<{ readonly kind: string; readonly runs: number }>, StoreError>

  /** Notifies the manager of a kind of runs and requests that producers have committed. */
  readonly submitted: (kind: string) => Effect.Effect<Notifier, never, Scope.Scope>

  /** While the scope is open, and no manager uses the store, it makes no query while it is idle. */
  readonly rest: Effect.Effect<void, never, Scope.Scope>

  /** While the scope is open, commits of other processes notify the subscribers of `changes`, too. */
  readonly follow: Effect.Effect<void, never, Scope.Scope>
}

export interface NewStop {
  readonly kind: string
  readonly jobId: JobId
  /** The grace period of the manager by default. */
  readonly grace: Duration.Duration | undefined
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}

export interface NewResume {
  readonly kind: string
  readonly jobId: JobId
  readonly sender?: Sender | undefined
  readonly at: DateTime.Utc
}

export interface Request {
  readonly seq: number
  readonly kind: string
  readonly jobId: JobId
  readonly asks: Ask
}

/** What a request asks for; none for what a later version has recorded. */
export type Ask = Option.Option<
  | ({ readonly _tag: "Signal" } & Pick<NewSignal, "name" | "payload" | "sender">)
  | ({ readonly _tag: "Stop" } & Pick<NewStop, "grace" | "sender">)
  | ({ readonly _tag: "Resume" } & Pick<NewResume, "sender">)
  /** A child of the job has ended, perhaps in another process, and the job is due. */
  | { readonly _tag: "Wake" }
>
