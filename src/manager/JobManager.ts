/**
 * Starts jobs, bounds how many run at once, records each, streams what they do, stops them for real, and carries on after a
 * crash.
 *
 * @since 0.1.0
 */
import {
  type ConfigError,
  Context,
  Duration,
  Effect,
  type Either,
  HashMap,
  Layer,
  Option,
  Ref,
  Schema,
  type Scope,
  type Stream
} from "effect"
import {
  type AlreadyManaged,
  type IdempotencyKeyReused,
  type InvalidJobConfig,
  type InvalidSignal,
  type JobConflict,
  type JobEnded,
  type JobNotFound,
  type MaxJobsReached,
  type NotResumable,
  type QueueFull,
  type ShuttingDown,
  type StopTimedOut,
  type StoreError,
  type TooManySignals,
  type UndecodableRun
} from "../domain/errors.js"
import { JobConfig } from "../domain/JobConfig.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { Retention } from "../domain/Retention.js"
import type { Run, TypedRun } from "../domain/Run.js"
import type { StartOptions } from "../domain/StartOptions.js"
import type { StopReport } from "../domain/StopReport.js"
import { makeNotifier } from "../store/ChangeNotifier.js"
import type { RunStore } from "../store/RunStore.js"
import * as Admission from "./internal/admission.js"
import { awaitEnd } from "./internal/awaitEnd.js"
import { byTransaction } from "./internal/byTransaction.js"
import { closeJobs } from "./internal/closeJobs.js"
import { beginRun, resumeJob } from "./internal/beginRun.js"
import * as Core from "./internal/Core.js"
import * as Dispatcher from "./internal/dispatcher.js"
import * as EventSubscriptions from "./internal/EventSubscriptions.js"
import * as outboxQueue from "./internal/outboxQueue.js"
import * as JobIdGenerator from "./internal/JobIdGenerator.js"
import * as JobRegistry from "./internal/JobRegistry.js"
import { limits } from "./internal/limits.js"
import { managedJob } from "./internal/managedJob.js"
import { now } from "../internal/now.js"
import { acquireOwnership } from "./internal/ownership.js"
import type { Health } from "./internal/persistRetry.js"
import { takeOver } from "./internal/recovery.js"
import { keepRetention } from "./internal/retention.js"
import { signalJob } from "./internal/signals.js"
import { startInTransaction } from "./internal/startInTransaction.js"
import { startJob } from "./internal/startJob.js"
import { startMany } from "./internal/startMany.js"
import { stopAll } from "./internal/stopAll.js"
import { stopJob } from "./internal/stopJob.js"
import type { ManagedJob } from "./ManagedJob.js"
import { type AnySignals, Orchestrator, type Service as OrchestratorService } from "./Orchestrator.js"

export type { PrunedRuns, Retention } from "../domain/Retention.js"
export type { Health } from "./internal/persistRetry.js"

/**
 * The manager of jobs that are described by a `JobConfig`; as a kind of job (`JobKind`) it is `tasks`.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * import { JobManager } from "charlotte"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const manager = yield* JobManager.JobManager
 *   const id = yield* manager.start({ repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" })
 *   return yield* manager.await(id)
 * })
 */
export class JobManager extends Context.Tag("charlotte/JobManager")<
  JobManager,
  Service<JobConfig, typeof JobConfig.Encoded>
>() {
  /** The name of the kind. */
  static readonly kind = "tasks"
  /** The schema of its configuration. */
  static readonly config = JobConfig
  /** What a job succeeds with: JSON. */
  static readonly success = Schema.Unknown
  /** What a job fails with: JSON. */
  static readonly error = Schema.Unknown
  /** Any. */
  static readonly events = undefined
  /** Any. */
  static readonly signals = undefined
}

/**
 * Marks a manager without schemas for what jobs succeed and fail with: its records are of the class `Run`.
 *
 * @since 0.2.0
 * @category models
 */
export interface Untyped {
  readonly _: unique symbol
}

type IfUntyped<Success, Then, Else> = [Untyped, Success] extends [Success, Untyped] ? Then : Else

/**
 * The record of a job: decoded by the schemas of its kind, or a `Run`.
 *
 * @since 0.2.0
 * @category models
 */
export type RunOf<Config, Success, Error> = IfUntyped<Success, Run, TypedRun<Config, Success, Error>>

/**
 * Why there is no record: only that of a kind may be undecodable.
 *
 * @since 0.2.0
 * @category models
 */
export type AwaitError<Success> = JobNotFound | StoreError | IfUntyped<Success, never, UndecodableRun>

/**
 * Who sends a signal.
 *
 * @since 0.2.0
 * @category options
 */
export interface SignalOptions {
  /** As the sender says; recorded as a claim. */
  readonly by?: string | undefined
}

/**
 * What follows the name of a signal. A payload that may be `undefined` can be left out.
 *
 * @since 0.2.0
 * @category types
 */
export type SignalArguments<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: SignalOptions]
  : [payload: Payload, options?: SignalOptions]

/**
 * Sends a signal, of a map of names and encoded payloads.
 *
 * @since 0.2.0
 * @category types
 */
export type SendSignal<Signals, Sent> = string extends keyof Signals
  ? (id: JobId, name: string, payload?: unknown, options?: SignalOptions) => Sent
  : <Name extends keyof Signals & string>(id: JobId, name: Name, ...rest: SignalArguments<Signals[Name]>) => Sent

/**
 * The operations of a job manager. For a kind of job (`JobKind`), `Success` and `Error` are what its jobs succeed and fail with, and
 * `Signals` are the encoded payloads of the signals that they take.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service<out Config, in Encoded, Success = Untyped, Error = Untyped, Signals = AnySignals> {
  /**
   * Records a job, starts it, and returns its id without waiting for the orchestrator. It is atomic: when it fails or is
   * interrupted, either the job exists and runs, or there is no trace of it.
   *
   * Inside a transaction of the SQL client under `RunStore.layer` the run is one row of that transaction: once that is
   * committed, it waits for a permit and is checked when it begins. There `MaxJobsReached` does not occur, and `attach` and
   * `replace` are `InvalidJobConfig`. All other operations that write or wait die inside such a transaction.
   */
  readonly start: (
    config: Encoded,
    options?: StartOptions
  ) => Effect.Effect<
    JobId,
    MaxJobsReached | JobConflict | InvalidJobConfig | QueueFull | IdempotencyKeyReused | ShuttingDown | StoreError
  >

  /** Records runs that wait for permits in the order of their configurations; each is accepted or refused for itself. */
  readonly startMany: (
    configs: ReadonlyArray<Encoded>,
    options?: Omit<StartOptions, "whenFull" | "idempotencyKey">
  ) => Effect.Effect<
    ReadonlyArray<Either.Either<JobId, InvalidJobConfig | JobConflict | QueueFull>>,
    ShuttingDown | StoreError
  >

  /**
   * Stops a job and returns when it is really over: its fibers and finalizers have ended, the record says so, its permit is
   * free. The orchestrator has `grace` to end politely, and one second more. A later stop with a shorter grace shortens it.
   * A run that waits (pending, parked or interrupted) is cancelled; one that is over answers its report with `alreadyEnded`.
   */
  readonly stop: (
    id: JobId,
    options?: { readonly grace?: Duration.DurationInput }
  ) => Effect.Effect<StopReport, JobNotFound | StopTimedOut | StoreError>

  /**
   * Stops all jobs at the same time, under one deadline; those that have not ended by then are reported as `timedOut`. Until
   * it returns no run that waits begins; under automatic recovery those are cancelled.
   */
  readonly stopAll: Effect.Effect<ReadonlyArray<StopReport>>

  /** The job of that id, while it is active. */
  readonly get: (
    id: JobId
  ) => Effect.Effect<Option.Option<ManagedJob<Config, RunOf<Config, Success, Error>, AwaitError<Success>>>>

  /** The ids of the active jobs, oldest first. */
  readonly list: Effect.Effect<ReadonlyArray<JobId>>

  /** How many jobs are active. */
  readonly activeCount: Effect.Effect<number>

  /**
   * Waits until the job has ended and its permit is free, and answers its record. When the manager closes first, it answers
   * the record as it stands.
   */
  readonly await: (id: JobId) => Effect.Effect<RunOf<Config, Success, Error>, AwaitError<Success>>

  /**
   * Sends a signal with any JSON as payload. It is kept with the job, and wakes it where it has parked for that. `by` is who
   * sent it, as the sender says. For a kind that declares its signals, another name is `InvalidSignal`, and so is a payload
   * that does not decode.
   */
  readonly signal: SendSignal<
    Signals,
    Effect.Effect<void, JobNotFound | JobEnded | InvalidSignal | TooManySignals | StoreError>
  >

  /** Continues an interrupted run as its next attempt. A parked one goes on as soon as a permit is free. */
  readonly resume: (
    id: JobId
  ) => Effect.Effect<void, JobNotFound | NotResumable | MaxJobsReached | JobConflict | ShuttingDown | StoreError>

  /** The events of a job after the number `after`: those that are recorded, then the live ones, to the last; then it ends. */
  readonly events: (
    id: JobId,
    options?: { readonly after?: number }
  ) => Stream.Stream<JobEvent, JobNotFound | StoreError>

  /** The events of all jobs of this manager, from the first or from those after a cursor; it ends when the manager closes. */
  readonly allEvents: (options?: { readonly after?: number | "latest" }) => Stream.Stream<JobEvent, StoreError>

  /** Whether everything that happened is recorded. */
  readonly health: Effect.Effect<Health>
}

/**
 * Limits of a manager.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Maximum number of active jobs; 10 by default. */
  readonly maxJobs?: number
  /** Grace period for a stopped orchestrator; 5 seconds by default. */
  readonly stopGrace?: Duration.DurationInput
  /** Whether interrupted runs are resumed by the manager, or only by `resume`; `automatic` by default. */
  readonly recovery?: "automatic" | "manual"
  /** Maximum number of pending runs, delayed ones included; 10,000 by default. */
  readonly maxQueued?: number
  /** How many checks run concurrently; 4 by default. */
  readonly maxChecks?: number
  /** How long finished runs are kept; for ever by default. They are pruned at start-up and every 10 minutes. */
  readonly retention?: Retention
  /**
   * Whether runs that wait begin; without that they are left to the next manager.
   *
   * @internal
   */
  readonly dispatch?: boolean
}

/**
 * Options of `JobManager.make`.
 *
 * @since 0.1.0
 * @category options
 */
export interface MakeOptions<C, I, RS = never, R = Scope.Scope, R2 = never> extends Options {
  /** Any non-empty text. A database has one manager of each kind. */
  readonly kind: string
  /** The schema of the configuration of a job; `start` takes its encoded form. */
  readonly config: Schema.Schema<C, I, RS>
  readonly orchestrator: OrchestratorService<C, R, R2>
  /** Labels to filter runs by. */
  readonly labels?: (config: C) => { readonly [name: string]: string }
  /** The key of a configuration, where `start` is not given one: at most one job holds it. */
  readonly key?: (config: C) => string | undefined
  /** The signals that its jobs take, with the schemas of their payloads; any name with any JSON when left out. */
  readonly signals?: { readonly [name: string]: Schema.Schema.AnyNoContext }
}

/**
 * A manager of a custom job type, for as long as the scope lives. Orchestrator and schema get their services from this effect, not
 * from the callers of the manager. Fails with `AlreadyManaged` when another live manager of the kind owns the database.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <C, I, RS = never, R = Scope.Scope, R2 = never>(
  options: MakeOptions<C, I, RS, R, R2>
): Effect.Effect<
  Service<C, I>,
  StoreError | AlreadyManaged,
  RunStore | Scope.Scope | RS | Exclude<R, Scope.Scope> | R2
> =>
  Effect.gen(function* () {
    const { key, kind, labels = () => ({}), maxChecks = 4, maxJobs = 10, maxQueued = 10_000, orchestrator } = options
    const services = yield* Effect.context<RS | Exclude<R, Scope.Scope> | R2>()
    const core = yield* Core.make({
      kind,
      maxJobs,
      stopGrace: Duration.decode(options.stopGrace ?? "5 seconds"),
      jobs: yield* Ref.make(HashMap.empty<JobId, JobRegistry.ActiveJob<C>>()),
      permits: yield* Effect.makeSemaphore(maxJobs),
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: `forkJob` has the services of R
      run: (job) => orchestrator.run(job) as Effect.Effect<unknown, unknown, Scope.Scope>
    })
    const admission = yield* Admission.make({ config: options.config, orchestrator, services, maxChecks })
    const anyId = yield* JobIdGenerator.make
    const subscriptions = yield* EventSubscriptions.make(core)

    yield* acquireOwnership(core, anyId((yield* now).epochMillis))
    const latest = yield* core.store.latestId
    const nextId = Option.match(latest, { onNone: () => anyId, onSome: (id) => JobIdGenerator.above(anyId, id) })
    const recover = (id: JobId) => Effect.provide(orchestrator.recover?.(id) ?? Effect.void, services)
    yield* takeOver({ kind, store: core.store, recover })

    const inserted = makeNotifier()
    const queueInserted = yield* Option.match(core.store.outbox, {
      onNone: () => Effect.succeed(Effect.void),
      onSome: (outbox) => outboxQueue.make(kind, outbox, inserted)
    })
    const pendingOrParked = ["parked", "pending"] as const
    const continued = options.recovery === "manual" ? pendingOrParked : (["interrupted", ...pendingOrParked] as const)
    const dispatcher = yield* Dispatcher.make(core, (run) => beginRun(core, admission, run), continued)
    const starting = { admission, dispatcher, nextId, labels, key, maxQueued, inserted }

    const service: Service<C, I> = {
      start: (input, options) =>
        byTransaction(core.store, {
          inside: (outbox) => startInTransaction(core, starting, outbox, { input, options }),
          outside: startJob(core, starting, { input, options })
        }),
      startMany: (configs, options) => {
        const outside = startMany(core, starting, configs, options)
        return byTransaction(core.store, { inside: () => outside, outside })
      },
      resume: (id) => resumeJob(core, admission, id),
      stop: (id, { grace = core.stopGrace } = {}) => Effect.suspend(() => stopJob(core, id, Duration.decode(grace))),
      stopAll: dispatcher.pausedDuring(stopAll(core, continued)),
      signal: (jobId, name, payload, { by } = {}) => signalJob(core, options.signals, { jobId, name, payload, by }),
      get: (id) =>
        Effect.flatMap(
          Effect.map(JobRegistry.find(core.jobs, id), Option.filter(JobRegistry.isActive)),
          Effect.transposeMapOption((active) => managedJob(active, service))
        ),
      list: JobRegistry.activeIds(core.jobs),
      activeCount: Effect.map(JobRegistry.activeIds(core.jobs), (ids) => ids.length),
      await: (id) => awaitEnd(core, id),
      events: (id, { after = 0 } = {}) => subscriptions.ofJob(id, after),
      allEvents: ({ after = 0 } = {}) => subscriptions.ofAll(after),
      health: core.persistRetry.health
    }

    if (options.dispatch !== false) yield* Effect.forkScoped(dispatcher.run)
    yield* Effect.forkScoped(dispatcher.keepTime)
    yield* Effect.forkScoped(queueInserted)
    if (options.retention !== undefined) {
      const forget = (id: JobId) => Effect.provide(orchestrator.forget?.(id) ?? Effect.void, services)
      yield* keepRetention(core, options.retention, forget)
    }
    // Added last, so that it runs first: the jobs end before anything that they use.
    yield* Effect.addFinalizer(() => closeJobs(core))
    return service
  })

/**
 * Options of `JobManager.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface LayerOptions extends Options {
  /** `tasks` by default. */
  readonly kind?: string
}

/**
 * A manager for as long as the layer lives. When the layer closes, it interrupts all jobs at once and waits for them; the next
 * manager on the same store resumes them. Fails with `AlreadyManaged` when another live manager of the kind owns the database.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: LayerOptions = {}
): Layer.Layer<JobManager, StoreError | AlreadyManaged, Orchestrator | RunStore> =>
  Layer.scoped(
    JobManager,
    Effect.flatMap(Orchestrator, (orchestrator) =>
      make({ kind: "tasks", ...options, config: JobConfig, orchestrator, labels: ({ labels = {} }) => labels })
    )
  )

/**
 * As `layer`, configured by `CHARLOTTE_MAX_JOBS` (a whole number) and `CHARLOTTE_STOP_GRACE` (a duration, such as
 * `10 seconds`).
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  JobManager,
  StoreError | AlreadyManaged | ConfigError.ConfigError,
  Orchestrator | RunStore
> = Layer.unwrapEffect(Effect.map(limits, layer))
