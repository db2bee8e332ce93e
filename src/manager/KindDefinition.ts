/**
 * The definition of a kind of job, and the types that follow from it.
 *
 * @since 0.2.0
 */
import type { Context, DateTime, Effect, Either, Schema, Stream } from "effect"
import type {
  IdempotencyKeyReused,
  InvalidJobConfig,
  JobConflict,
  JobNotFound,
  KindPaused,
  NotResumable,
  QueueFull,
  RetryError,
  ShuttingDown,
  SignalError,
  StoreError,
  UndecodableRun
} from "../domain/errors.js"
import type { JobEvent, TypedEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type * as Record from "../domain/Run.js"
import type { StartOptions } from "../domain/StartOptions.js"
import type { ResumeOptions, RetryOptions, RetryProgress, RetryQuery, SendSignal } from "./JobManagerService.js"
import type { StopOptions } from "./ManagedJob.js"
import type { AnyEvents, AnySignals } from "./Orchestrator.js"

/**
 * Schemas by the type of an event, or by the name of a signal.
 *
 * @since 0.2.0
 * @category models
 */
export interface Schemas {
  readonly [name: string]: Schema.Schema.All
}

/**
 * A kind of job: its name and its schemas, without what its jobs do.
 *
 * @since 0.2.0
 * @category models
 */
export interface Definition<
  out Name extends string,
  out C extends Schema.Schema.All,
  out S extends Schema.Schema.All,
  out E extends Schema.Schema.All,
  out Ev extends Schemas | undefined,
  out Si extends Schemas | undefined
> {
  /** The name of the kind. */
  readonly kind: Name
  readonly config: C
  readonly success: S
  readonly error: E
  /** The payload of each type of event; `undefined` when jobs may emit any type. */
  readonly events: Ev
  /** The payload of each signal; `undefined` when any name is accepted. */
  readonly signals: Si
  /** What a start needs besides a configuration. */
  readonly starts: Starts<never>
  /** The version of the schemas, in a cluster; a hash of them if it is left out. */
  readonly version?: string | undefined
}

/**
 * What a start needs besides a configuration, in a manager as in a producer. The functions are pure: the same configuration always has the
 * same key, labels and group.
 *
 * @since 0.2.0
 * @category options
 */
export interface Starts<in Config> {
  /** Two active jobs never share a key; a job also holds the key that `check` returns. */
  readonly key?: ((config: Config) => string) | undefined
  /** Labels to filter runs by. */
  readonly labels?: ((config: Config) => { readonly [name: string]: string }) | undefined
  /**
   * The group of the run, of 1 to 256 bytes: at most `maxPerGroup` jobs of it run at once. Evaluated when the run is submitted, and recorded;
   * a run without a group is not limited.
   */
  readonly group?: ((config: Config) => string | undefined) | undefined
  /** Maximum number of pending runs, delayed ones included; 10,000 by default. */
  readonly maxQueued?: number | undefined
  /** Maximum size of a configuration, a result, and the payload of an event, in bytes of JSON; 1 MiB by default. */
  readonly maxBytes?: number | undefined
}

/**
 * Any kind of job.
 *
 * @since 0.2.0
 * @category models
 */
export type Any = Definition<
  string,
  Schema.Schema.All,
  Schema.Schema.All,
  Schema.Schema.All,
  Schemas | undefined,
  Schemas | undefined
>

/**
 * The configuration of a job of that kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Config<K extends Any> = Schema.Schema.Type<K["config"]>

/**
 * The encoded configuration, which `start` takes.
 *
 * @since 0.2.0
 * @category types
 */
export type Encoded<K extends Any> = Schema.Schema.Encoded<K["config"]>

/**
 * The success value of a job of that kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Success<K extends Any> = Schema.Schema.Type<K["success"]>

/**
 * The typed failure of a job of that kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Error<K extends Any> = Schema.Schema.Type<K["error"]>

/**
 * The payload of each type of event that a job of that kind emits.
 *
 * @since 0.2.0
 * @category types
 */
export type Events<K extends Any> = K["events"] extends Schemas ? Payloads<K["events"]> : AnyEvents

/**
 * A recorded event of a job of that kind: written by the manager, or declared by the kind, with the payload as its schema encodes it.
 * Events are not decoded, so every event stays readable: an event that was recorded under other schemas keeps their encoding.
 *
 * @since 0.2.0
 * @category types
 */
export type Event<K extends Any> = K["events"] extends Schemas
  ? TypedEvent<{ readonly [Type in keyof K["events"]]: Schema.Schema.Encoded<K["events"][Type]> }>
  : JobEvent

/**
 * The payload of each signal that a job of that kind accepts.
 *
 * @since 0.2.0
 * @category types
 */
export type Signals<K extends Any> = K["signals"] extends Schemas ? Payloads<K["signals"]> : AnySignals

/**
 * The encoded payload of each signal that a job of that kind accepts; `signal` takes it.
 *
 * @since 0.2.0
 * @category types
 */
export type EncodedSignals<K extends Any> = K["signals"] extends Schemas
  ? { readonly [Name in keyof K["signals"]]: Schema.Schema.Encoded<K["signals"][Name]> }
  : AnySignals

/**
 * The record of a job of that kind, decoded.
 *
 * @since 0.2.0
 * @category types
 */
export type Run<K extends Any> = Record.TypedRun<Config<K>, Success<K>, Error<K>>

/**
 * The services that the schemas of a kind need.
 *
 * @since 0.2.0
 * @category types
 */
export type Requirements<K extends Any> =
  | Schema.Schema.Context<K["config"]>
  | Schema.Schema.Context<K["success"]>
  | Schema.Schema.Context<K["error"]>
  | ContextOf<K["events"]>
  | ContextOf<K["signals"]>

/**
 * The decoded types of a map of schemas.
 *
 * @since 0.2.0
 * @category types
 */
export type Payloads<S extends Schemas> = { readonly [Name in keyof S]: Schema.Schema.Type<S[Name]> }

/**
 * The services that a map of schemas needs.
 *
 * @since 0.2.0
 * @category types
 */
export type ContextOf<S extends Schemas | undefined> = S extends Schemas ? Schema.Schema.Context<S[keyof S]> : never

/**
 * Identifies the producer of a kind. `Email.producer` and `Email.layer` provide it.
 *
 * @since 0.2.0
 * @category producers
 */
export interface Producer<in out Self> {
  readonly _: unique symbol
  readonly self: (self: Self) => Self
}

/**
 * The operations of a producer: it starts jobs that a manager runs, in the same process or in another one. Jobs wait in the database
 * while there is no manager.
 *
 * @since 0.2.0
 * @category producers
 */
export interface ProducerService<K extends Any> {
  /**
   * Records a run that waits for its permit, and returns its id. `check` is called when the run begins; a run that it refuses becomes
   * `failed`. Inside a transaction of the SQL client under `RunStore.layer` the run is one row of that transaction, where `attach` and
   * `replace` fail with `InvalidJobConfig`.
   */
  readonly start: (
    config: Encoded<K>,
    options?: ProducerOptions
  ) => Effect.Effect<JobId, InvalidJobConfig | JobConflict | QueueFull | IdempotencyKeyReused | StoreError>

  /** Records runs in the order of their configurations; each is accepted or refused independently. */
  readonly startMany: (
    configs: ReadonlyArray<Encoded<K>>,
    options?: Omit<ProducerOptions, "idempotencyKey">
  ) => Effect.Effect<ReadonlyArray<Either.Either<JobId, InvalidJobConfig | JobConflict | QueueFull>>, StoreError>

  /** Records a signal, which the manager gives to the job; without a manager it waits. Otherwise as `signal` of the manager. */
  readonly signal: SendSignal<EncodedSignals<K>, Effect.Effect<void, SignalError>>

  /**
   * Records that a job is to be stopped, and returns at once. A pending run is cancelled at once, any other one by the manager. A run
   * that is over stays as it is.
   */
  readonly stop: (id: JobId, options?: StopOptions) => Effect.Effect<void, JobNotFound | StoreError>

  /**
   * Records that a parked or interrupted run is to continue, and returns at once. The manager resumes it, an interrupted one as soon as
   * a permit is free.
   */
  readonly resume: (
    id: JobId,
    options?: ResumeOptions
  ) => Effect.Effect<void, JobNotFound | KindPaused | NotResumable | StoreError>

  /** Records a run that retries a failed or cancelled one. Otherwise as `retry` of the manager. */
  readonly retry: (id: JobId, options?: RetryOptions) => Effect.Effect<JobId, Exclude<RetryError, ShuttingDown>>

  /** Retries the failed and cancelled runs that match, as `retryMany` of the manager. */
  readonly retryMany: (query: RetryQuery) => Stream.Stream<RetryProgress, StoreError>

  /** Waits until the job has ended, and returns its record. If the producer closes first, it returns the current record. */
  readonly await: (id: JobId) => Effect.Effect<Run<K>, JobNotFound | StoreError | UndecodableRun>

  /**
   * The events of a job with a `seq` above `after`: the recorded ones, then live ones; ends after the terminal event. Before a manager
   * has seen the run, there is none.
   */
  readonly events: (
    id: JobId,
    options?: { readonly after?: number }
  ) => Stream.Stream<Event<K>, JobNotFound | StoreError>
}

/**
 * Options of `start` of a producer, whose runs always queue.
 *
 * @since 0.2.0
 * @category producers
 */
export type ProducerOptions = Omit<StartOptions, "whenFull">

/**
 * The tag of a producer.
 *
 * @since 0.2.0
 * @category producers
 */
export type ProducerTag<Self, K extends Any> = Context.Tag<Producer<Self>, ProducerService<K>>

/**
 * When a schedule starts jobs, and which.
 *
 * @since 0.2.0
 * @category schedules
 */
export interface ScheduleOptions<in out Encoded> {
  /** Five fields, or six with the seconds first, as `Cron` of Effect reads them. */
  readonly cron: string
  /**
   * The time zone of the expression, such as `Europe/Berlin`. A time that does not exist there, since summer time begins, runs at the
   * next that does; one that exists twice runs once. If the minutes or hours have a `*` or a step, it runs in every real hour.
   */
  readonly timeZone: string
  /** The configuration of its jobs, or a function of the tick that makes it. */
  readonly config: Encoded | ((tick: DateTime.Utc) => Encoded)
  /** Ticks at which nothing ran the schedule: one job for all of them together (the default), or none. */
  readonly missed?: "once" | "skip"
  /** A tick while the last job of the schedule is not over, parked and retried ones included: no job (the default), or one that waits. */
  readonly overlap?: "skip" | "queue"
  /** The key of its jobs. A tick whose key another job holds is skipped, or waits behind it with `overlap: "queue"`. */
  readonly key?: string
  /** The priority of its jobs; 0 by default. */
  readonly priority?: number
  /** Labels of its jobs, besides `schedule`, the name of the schedule. */
  readonly labels?: { readonly [name: string]: string }
}
