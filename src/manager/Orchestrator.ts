/**
 * The port that an application implements: what a job does.
 *
 * @since 0.1.0
 */
import {
  Context,
  type DateTime,
  type Duration,
  Effect,
  type Equal,
  Layer,
  type Option,
  type Schema,
  type Scope
} from "effect"
import type { SpendingLimits } from "../domain/Cost.js"
import type { ChildFailed, InvalidJobConfig } from "../domain/errors.js"
import type { JobConfig } from "../domain/JobConfig.js"
import type { EmittedEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { OnParentStop } from "../domain/RecordedChild.js"
import type { Approval } from "../domain/Run.js"
import type { KilledProcess } from "../domain/StopReport.js"
import type { Gone } from "../store/port/RunStoreService.js"
import { provideOwn } from "./internal/provideOwn.js"

/**
 * The orchestrator of a manager's jobs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Orchestrator extends Context.Tag("charlotte/Orchestrator")<Orchestrator, Service<JobConfig>>() {}

/**
 * The code that a manager runs. `R` are the requirements of `run`, `R2` the requirements of `check`, `recover` and `forget`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service<in Config, out R = Scope.Scope, out R2 = never> {
  /**
   * Checks a configuration before the job is admitted; it must be quick and without side effects. Two active jobs never share a
   * `key`.
   *
   * At `start`, `submission` is `undefined`, and the result's `submission` is recorded with the run, as JSON: it holds what the
   * check found at submission, and does not change. When the job is continued, the recorded value is passed in, also as JSON, and
   * the result's `submission` is ignored. A check that then fails or dies ends the run as `failed`.
   */
  readonly check?: (config: Config, submission?: unknown) => Effect.Effect<Checked, InvalidJobConfig, R2>

  /**
   * Does the job. A stop interrupts it. Every fiber that it forks (`fork`, `forkScoped`, `forkIn` its scope) has ended, and
   * what it acquired in its scope is released, before the stop returns. Its success value is kept with the run, as JSON.
   */
  readonly run: (job: AnyJob<Config>) => Effect.Effect<unknown, unknown, R>

  /**
   * Removes what a crash may have left running from earlier attempts of this job, such as child processes. It is called
   * before a job of a dead manager is continued or ended; when it fails, the job is not continued. With a `StoreError` the
   * manager itself fails, and the job is left to the next manager.
   *
   * `attempt` is the last attempt that has ended. In a cluster, another node may have begun the next attempt meanwhile, perhaps on
   * the same machine: nothing of a later attempt may be removed.
   */
  readonly recover?: (id: JobId, attempt: number) => Effect.Effect<void, unknown, R2>

  /**
   * Removes what a job has left outside the store, such as logs, when its run is pruned (`retention`) or removed (`remove`): `why` says
   * which. If it fails, a later pruning, or the next manager, calls it again.
   */
  readonly forget?: (id: JobId, why: Gone) => Effect.Effect<void, unknown, R2>
}

/**
 * The result of `check`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Checked {
  /** 1 to 256 bytes. No two active jobs may have the same key; without one there is no conflict. */
  readonly key?: string
  /** The name of the key in the message of a conflict. */
  readonly keyName?: string
  /** A name of the job, for people: its label `title`, if the job has none. @since 0.2.0 */
  readonly title?: string
  /** Recorded with the run as JSON, and passed to later calls. */
  readonly submission?: unknown
}

/**
 * The events of a job that declares none: any type, with any JSON as payload.
 *
 * @since 0.2.0
 * @category models
 */
export interface AnyEvents {
  readonly [type: string]: unknown
}

/**
 * The signals of a job that declares none: any name, with any JSON as payload.
 *
 * @since 0.2.0
 * @category models
 */
export interface AnySignals {
  readonly [name: string]: unknown
}

/**
 * An event that a job may emit, given a map from type to payload. A payload that may be `undefined` can be left out.
 *
 * @since 0.2.0
 * @category models
 */
export type Emitted<Events> = {
  readonly [Type in keyof Events & string]: Omit<EmittedEvent, "type" | "payload"> & {
    readonly type: Type
  } & (undefined extends Events[Type] ? { readonly payload?: Events[Type] } : { readonly payload: Events[Type] })
}[keyof Events & string]

/**
 * What a manager passes to `run`: the job and its operations.
 *
 * It is for one attempt: once that has ended, every function that records something is a defect. `park`, `fail`, `cancel` and a wait
 * for a child are for the work itself, since they interrupt it: in a finalizer that runs after the work they are a defect, and what a
 * finalizer may do is to run a step, or to start a child without waiting for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface JobContext<out Config, Events = AnyEvents, Signals = AnySignals, in Failure = never> {
  readonly id: JobId
  readonly config: Config
  /** The `submission` that `check` returned when the job was submitted, read back from JSON; `undefined` without one. */
  readonly submission: unknown
  /** 1 for the first attempt, and one more with each continuation. */
  readonly attempt: number
  /** How often an attempt has failed and was followed by another (`retry`); 0 before the first retry. */
  readonly tries: number
  /** How long the job may take to end after an interruption. Read it after the interruption, since a stop may set another grace. */
  readonly grace: Duration.Duration
  /** Completes when the grace of a stop is over; a later stop may shorten it. */
  readonly graceOver: Effect.Effect<void>
  /**
   * Adds an event to a bounded queue, in order; waits while the queue is full. It is a defect if the type is empty or begins with
   * `job.`, if `type` or `unit` contain NUL or a lone surrogate, if the kind declares its events and this event is undeclared or
   * cannot be encoded, or if it would have to wait inside a transaction of the manager's SQL client, since that wait never ends.
   */
  readonly emit: (event: Emitted<Events>) => Effect.Effect<void>
  /**
   * Waits until all emitted events are committed; use it before a side effect that depends on them. Inside a transaction of
   * the manager's SQL client it is a defect.
   */
  readonly flush: Effect.Effect<void>
  /**
   * Ends this attempt without ending the job: the work is interrupted, finalizers run, and the run is `parked`. A parked run
   * holds only its keys until the time comes, the signal arrives, or it is resumed; then `run` is called for the next
   * attempt. Inside a transaction of the manager's SQL client it is a defect.
   */
  readonly park: (options: ParkOptions<keyof Signals & string>) => Effect.Effect<never>
  /**
   * Fails the job for good, with or without retries left: the work is interrupted, and finalizers run. Inside a transaction of the
   * manager's SQL client it is a defect.
   */
  readonly fail: (error: Failure) => Effect.Effect<never>
  /**
   * Ends the job as cancelled: the work is interrupted, and finalizers run. Inside a transaction of the manager's SQL client it is a
   * defect.
   */
  readonly cancel: Effect.Effect<never>
  /**
   * Whether a stop interrupts the job, rather than the end of its manager, after which it continues, or its time limit. Read it after
   * the interruption, for example to compensate only when the job is stopped.
   */
  readonly stopping: Effect.Effect<boolean>
  /**
   * The payload of the newest signal of a name; `Option.some(undefined)` if that signal had none. For a kind that declares its
   * signals the payload is decoded, and an undeclared name, or a payload that the current schema cannot read, is a defect.
   */
  readonly signal: <Name extends keyof Signals & string>(name: Name) => Effect.Effect<Option.Option<Signals[Name]>>
  /**
   * Does something once: the first time, `effect` runs, and its success or typed failure is recorded. Later, also in later attempts and
   * in the jobs that retry this one, the record is returned instead, and already the first time the value is returned as it reads back.
   *
   * Without `success`, a value has to be the same once JSON has read it back: a type that is not, such as a date or a map, does not
   * compile, and a value that is not, such as an instance of a class, is a defect that names the step and the field. A function that is
   * generic in the value passes `success`. A failure without `error` becomes what JSON makes of it.
   *
   * A crash or a stop between the effect and the commit of its record repeats the effect: pass `stepKey` to what it calls. A defect, an
   * interruption or a park inside records nothing. A retry forgets recorded failures. Two steps of one name at the same time are one.
   * To let a step finish once it has begun, write `Effect.uninterruptible(step(name, effect))`: the success of
   * `step(name, Effect.uninterruptible(effect))` becomes an interruption where the region ends, and is not recorded.
   *
   * It is a defect if the name has not 1 to 256 bytes, the value has more than 1 MiB of JSON, the job has 10,000 steps already, children for
   * which it waits included, the current schema cannot read the record, or inside a transaction of the manager's SQL client. Values are
   * recorded as they are, also secrets: they are read back. Lists, events and search do not contain them.
   */
  readonly step: RunStep
  /** The same text in all attempts, and in the jobs that retry this one: the idempotency key of what a step calls. */
  readonly stepKey: (name: string) => string
  /**
   * Starts a job of another kind, or of its own, once, and waits for its end without holding a permit: once nothing but waiting is left of
   * the job, it parks until a child ends, and then `run` is called for the next attempt. The result is recorded as the step
   * `child/NAME`. What runs beside it and is no step is interrupted by the park, and begins again.
   *
   * It fails with the typed failure of the child, and with `ChildFailed` if the child has ended otherwise, such as cancelled. A retry of
   * the job retries its children that have failed. A stop of the job stops its children; a failure leaves them. A job
   * waits for at most 10,000 children, its steps included.
   *
   * The child starts as by a producer: it waits until a manager of its kind runs, in any process, and behind a job that holds its key; the
   * `maxQueued` of its kind does not refuse it. A configuration that is invalid, a name that is used for another kind, and what `step`
   * refuses, is a defect.
   *
   * @example
   * import { JobKind, RunStore } from "charlotte"
   * import { Effect, Layer, Schema } from "effect"
   *
   * class Square extends JobKind.Tag<Square>()("square", {
   *   config: Schema.Struct({ of: Schema.Number }),
   *   success: Schema.Number
   * }) {}
   *
   * class Sum extends JobKind.Tag<Sum>()("sum", { config: Schema.Struct({ upTo: Schema.Number }), success: Schema.Number }) {}
   *
   * const Jobs = Layer.merge(
   *   Square.layer({ run: ({ config: { of } }) => Effect.succeed(of * of) }),
   *   Sum.layer({
   *     run: ({ child, config: { upTo } }) =>
   *       Effect.forEach(Array.from({ length: upTo }, (_, n) => n + 1), (of) => child(Square, { of }), {
   *         concurrency: "unbounded"
   *       }).pipe(
   *         Effect.map((squares) => squares.reduce((sum, square) => sum + square, 0)),
   *         Effect.orDie
   *       )
   *   })
   * )
   *
   * const program = Effect.gen(function* () {
   *   const sums = yield* Sum
   *   const run = yield* sums.await(yield* sums.start({ upTo: 3 }))
   *   if (run.status === "completed") assert.equal(run.result, 14)
   * })
   *
   * await Effect.runPromise(program.pipe(Effect.provide(Layer.provide(Jobs, RunStore.layerMemory))))
   */
  readonly child: StartChild
  /**
   * Reports how far the job is: lists, the page and `charlotte watch` show it as a bar. Only the newest is kept, in the record of the run
   * and without an event: it is recorded at once, then at most once a second, and at the end of the attempt, so a job may report each
   * item of a long loop. The next attempt shows it until it reports its own; a retry begins without one.
   *
   * `done` above `total` counts as `total`, and `text` is cut to 200 bytes. It is a defect if `done` or `total` is no whole number from
   * 0 on.
   *
   * @example
   * import { JobKind } from "charlotte"
   * import { Effect, Schema } from "effect"
   *
   * class Import extends JobKind.Tag<Import>()("import", { config: Schema.Struct({ rows: Schema.Number }) }) {}
   *
   * const Imports = Import.layer({
   *   run: ({ config: { rows: total }, progress }) =>
   *     Effect.forEach(Array.from({ length: total }, (_, row) => row + 1), (done) =>
   *       progress({ done, total, text: `row ${done}` })
   *     )
   * })
   */
  readonly progress: (progress: ReportedProgress) => Effect.Effect<void>
  /** Records that something had to be killed, so that the stop report says `forced`. */
  readonly forced: Effect.Effect<void>
  /** Like `forced`, and names the processes; the stop report lists at most 100 of them. */
  readonly killed: (processes: ReadonlyArray<KilledProcess>) => Effect.Effect<void>
}

/**
 * How far a job is.
 *
 * @since 0.2.0
 * @category models
 */
export interface ReportedProgress {
  readonly done: number
  readonly total: number
  /** What it is doing. */
  readonly text?: string | undefined
}

/**
 * Runs a step. Without a schema of its success, the type of the value must survive JSON.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunStep {
  <A, E, R, AI, EI = unknown, RA = never, RE = never>(
    name: string,
    effect: Effect.Effect<A, E, R>,
    options: StepOptions<A, E, AI, EI, RA, RE> & { readonly success: Schema.Schema<A, AI, RA> }
  ): Effect.Effect<A, E, R | RA | RE>
  <A, E, R, EI = unknown, RE = never>(
    name: string,
    effect: Effect.Effect<A, E, R> & Effect.Effect<ReadBack<A>, E, R>,
    options?: Pick<StepOptions<A, E, unknown, EI, never, RE>, "error">
  ): Effect.Effect<A, E, R | RE>
}

/**
 * The type of a value once JSON has read it back; the key of `Lost` in place of what JSON loses.
 *
 * @since 0.2.0
 * @category types
 */
export type ReadBack<A> = 0 extends 1 & A
  ? A
  : unknown extends A
    ? A
    : A extends string | number | boolean | null | undefined | void
      ? A
      : A extends ReadonlyArray<infer Item>
        ? // Of a type that contains itself, TypeScript defers an array in this form only.
          readonly ReadBack<Item>[]
        : A extends NoJson
          ? Lost
          : { readonly [Key in keyof A]: ReadBack<A[Key]> }

/** What JSON has no value for, or what has a `toJSON`. */
type NoJson =
  | bigint
  | symbol
  | ((...args: never) => unknown)
  | ArrayBufferView
  | Equal.Equal
  | Iterable<unknown>
  | { readonly toJSON: unknown }

/**
 * Says why the type of a value does not fit a step without `success`.
 *
 * @since 0.2.0
 * @category types
 */
export interface Lost {
  readonly "JSON loses this type: pass the schema of the value, { success }": never
}

/**
 * The schemas of the success and the failure of a step.
 *
 * @since 0.2.0
 * @category options
 */
export interface StepOptions<in out A, in out E, in out AI, in out EI, out RA, out RE> {
  readonly success?: Schema.Schema<A, AI, RA> | undefined
  readonly error?: Schema.Schema<E, EI, RE> | undefined
}

/**
 * A kind whose jobs may be children: the definition of any kind of job.
 *
 * @since 0.2.0
 * @category models
 */
export interface ChildKind {
  readonly kind: string
  readonly config: Schema.Schema.All
  readonly success: Schema.Schema.All
  readonly error: Schema.Schema.All
}

/**
 * Options of a child.
 *
 * @since 0.2.0
 * @category options
 */
export interface ChildOptions {
  /**
   * 1 to 200 bytes; by default the kind and the hash of the configuration. A job has one child of a name, also if it asks again with
   * another configuration.
   */
  readonly name?: string | undefined
  /** `false`: it is only started, and its id is returned. */
  readonly wait?: boolean | undefined
  /** What a stop of the job does with the child; `stop` by default. */
  readonly onParentStop?: OnParentStop | undefined
}

/**
 * The services that the schemas of a kind need.
 *
 * @since 0.2.0
 * @category types
 */
export type ChildServices<K extends ChildKind> = Schema.Schema.Context<K["config"] | K["success"] | K["error"]>

/**
 * Starts a child, and waits for its end unless `wait` is `false`. `config` is the encoded configuration.
 *
 * @since 0.2.0
 * @category models
 */
export interface StartChild {
  <K extends ChildKind>(
    kind: K,
    config: Schema.Schema.Encoded<K["config"]>,
    options: ChildOptions & { readonly wait: false }
  ): Effect.Effect<JobId, never, ChildServices<K>>
  <K extends ChildKind>(
    kind: K,
    config: Schema.Schema.Encoded<K["config"]>,
    options?: ChildOptions & { readonly wait?: true | undefined }
  ): Effect.Effect<Schema.Schema.Type<K["success"]>, Schema.Schema.Type<K["error"]> | ChildFailed, ChildServices<K>>
}

/**
 * A job that emits any event, accepts any signal and fails with any error.
 *
 * @since 0.2.0
 * @category models
 */
export type AnyJob<Config> = JobContext<Config, AnyEvents, AnySignals, unknown>

/**
 * Why a job parks, and what it waits for: a time, a signal, or whichever comes first.
 *
 * @since 0.2.0
 * @category options
 */
export type ParkOptions<Name extends string = string> = {
  /** The reason that people see. */
  readonly reason: string
  /** The job continues at this time at the latest. */
  readonly until?: DateTime.Utc | undefined
  /** Whether it only tries again at `until`, because the end of what it waits for is unknown. People see that. */
  readonly tentative?: boolean | undefined
  /** The job continues when this signal arrives, or at once if one has arrived that no attempt has consumed. */
  readonly signal?: Name | undefined
  /**
   * The result that a person is asked to approve.
   *
   * @internal
   */
  readonly approval?: Approval | undefined
  /** How many open questions of agents it waits for. The job continues when one of them is answered. */
  readonly questions?: number | undefined
  /**
   * How many decisions about its execution this attempt has read. One more wakes it.
   *
   * @internal
   */
  readonly decisions?: number | undefined
  /** The limits of what it may spend that it has reached. */
  readonly limits?: SpendingLimits | undefined
} & ({ readonly until: DateTime.Utc } | { readonly signal: Name })

/**
 * An orchestrator from a function, which gets the services of this layer.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Orchestrator } from "charlotte"
 * import { Effect } from "effect"
 *
 * const Greeter = Orchestrator.layer((job) =>
 *   job.emit({ type: "greeter.hello", payload: job.config.labels }).pipe(Effect.as("done"))
 * )
 */
export const layer = <R = never>(
  run: (job: AnyJob<JobConfig>) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<Orchestrator, never, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Orchestrator,
    Effect.map(Effect.context<Exclude<R, Scope.Scope>>(), (own) =>
      Orchestrator.of({ run: (job) => provideOwn(run(job), own) })
    )
  )
