/**
 * Defines a kind of job once: its manager's tag, its layer and types, the HTTP API, the typed client and the test layer are made
 * from this definition.
 *
 * @since 0.2.0
 */
import { Context, type Duration, Effect, identity, Layer, type Schema, type Scope } from "effect"
import type { AlreadyManaged, InvalidCron, InvalidJobConfig, StoreError, UndecodableRun } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type * as Record from "../domain/Run.js"
import type { Gone } from "../store/port/RunStoreService.js"
import type { RunStore } from "../store/RunStore.js"
import { check, orUnknown } from "./internal/kindDefinition.js"
import * as kindLayer from "./internal/kindLayer.js"
import * as kindManager from "./internal/kindManager.js"
import * as kindProducer from "./internal/kindProducer.js"
import { managedStarts } from "./internal/managedStarts.js"
import { runDecoder } from "./internal/kindSchemas.js"
import type { OnStop } from "./internal/parts.js"
import type { Retry } from "./internal/retry.js"
import * as schedules from "./internal/schedule.js"
import { schemasOf } from "./internal/schemasOf.js"
import * as JobManager from "./JobManager.js"
import type {
  Any,
  Config,
  Definition,
  Encoded,
  EncodedSignals,
  Error,
  Event,
  Events,
  Producer,
  ProducerTag,
  Requirements,
  Run,
  ScheduleOptions,
  Schemas,
  Signals,
  Starts,
  Success
} from "./KindDefinition.js"
import type { Checked, JobContext } from "./Orchestrator.js"

export type { OnStop } from "./internal/parts.js"
export type { Backoff, Retry } from "./internal/retry.js"
export type * from "./KindDefinition.js"

/**
 * The operations of the manager of a kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Service<K extends Any> = JobManager.Service<
  Config<K>,
  Encoded<K>,
  Success<K>,
  Error<K>,
  EncodedSignals<K>,
  Event<K>
>

/**
 * Options of the layer of a kind: what its jobs do, and the limits of its manager.
 *
 * @since 0.2.0
 * @category options
 */
export interface LayerOptions<K extends Any, R, R2, R3 = never>
  extends RunOptions<K, R, R2, R3>, Pick<Starts<Config<K>>, "key" | "labels"> {}

/**
 * Options of the layer of a kind, without what its definition may have.
 *
 * @since 0.2.0
 * @category options
 */
export interface RunOptions<K extends Any, R, R2, R3 = never> extends JobManager.Options {
  /** Runs the job; see `Orchestrator.Service.run`. Its scope is closed when it has ended. */
  readonly run: (job: JobContext<Config<K>, Events<K>, Signals<K>, Error<K>>) => Effect.Effect<Success<K>, Error<K>, R>
  /** Checks a configuration before the job is admitted; see `Orchestrator.Service.check`. */
  readonly check?: (config: Config<K>, submission?: unknown) => Effect.Effect<Checked, InvalidJobConfig, R2>
  /** Removes what a crash may have left running; see `Orchestrator.Service.recover`. */
  readonly recover?: (id: JobId, attempt: number) => Effect.Effect<void, unknown, R2>
  /** Removes what is kept of a job when its run is pruned or removed; see `Orchestrator.Service.forget`. */
  readonly forget?: (id: JobId, why: Gone) => Effect.Effect<void, unknown, R2>
  /**
   * How many jobs of a group run at once, in a cluster on all nodes together; without a limit by default. The definition of the kind says
   * with `group` which jobs are of one group. Only attempts count: jobs that are parked or wait leave room. The layer that was built last counts.
   */
  readonly maxPerGroup?: number
  /** Whether failed attempts are retried; by default a failure is the end of its job. */
  readonly retry?: Retry<Error<K>>
  /**
   * The time limit of an attempt, in running time; none by default. Work that exceeds it is interrupted, with `stopGrace` to end, and
   * fails with an error of kind `timeout`, unless it has succeeded or failed by itself.
   */
  readonly timeout?: Duration.DurationInput
  /**
   * What a stop of a parked or interrupted job does. `cancel` (the default) ends it at once. `run` makes it due: its next attempt runs with
   * `stopping`, and may compensate; however that ends, the job is cancelled, and an error is kept. The stop waits for a permit at most its
   * grace, and then fails with `StopTimedOut`; the job stays due. With a grace of 0 the job is cancelled without running.
   */
  readonly onStop?: OnStop
  /**
   * Called with the run of every job that has ended, however it has ended, at least once, also after a crash; up to 10 at once. One that
   * fails is called again with pauses for 24 hours, and then its event is put aside. It is a subscriber with the name of the kind and
   * `.on-end`, and a new one begins with the jobs that end from then on. A run that no longer decodes is skipped, and counted.
   */
  readonly onEnd?: (run: Run<K>) => Effect.Effect<void, unknown, R3>
}

/** Whether an option was given: the type of one that is left out is inferred with `undefined`. */
type Given<Name, Option> = [undefined] extends [Option] ? never : Name

/**
 * What the layer of a kind provides: its manager, and its producer unless `key` or `labels` are options of the layer only. A producer in
 * another process would not know these: they belong in the definition of the kind.
 *
 * @since 0.2.0
 * @category types
 */
export type Provided<Self, Defined extends "key" | "labels", Key, Labels> =
  Self | ([Exclude<Given<"key", Key> | Given<"labels", Labels>, Defined>] extends [never] ? Producer<Self> : never)

/**
 * A kind of job: the tag of its manager, and the layer that provides it.
 *
 * @since 0.2.0
 * @category models
 */
export interface TagClass<
  in out Self,
  Name extends string,
  C extends Schema.Schema.All,
  S extends Schema.Schema.All,
  E extends Schema.Schema.All,
  Ev extends Schemas | undefined,
  Si extends Schemas | undefined,
  Defined extends "key" | "labels" = never
>
  extends
    Context.TagClass<Self, `charlotte/JobKind/${Name}`, Service<Definition<Name, C, S, E, Ev, Si>>>,
    Definition<Name, C, S, E, Ev, Si> {
  /**
   * The manager of this kind, for as long as the layer lives. Jobs get the services of this layer, not the services around the
   * manager or its callers. Fails with `AlreadyManaged` when another live manager of the kind owns the database.
   */
  readonly layer: <
    R,
    Key extends Starts<Schema.Schema.Type<C>>["key"],
    Labels extends Starts<Schema.Schema.Type<C>>["labels"],
    R2 = never,
    R3 = never
  >(
    options: RunOptions<Definition<Name, C, S, E, Ev, Si>, R, R2, R3> & {
      /** Used if the definition has none. A producer knows the definition only. */
      readonly key?: Key
      /** Used if the definition has none. A producer knows the definition only. */
      readonly labels?: Labels
    }
  ) => Layer.Layer<
    Provided<Self, Defined, Key, Labels>,
    StoreError | AlreadyManaged,
    RunStore | Exclude<R, Scope.Scope> | R2 | R3 | Requirements<Definition<Name, C, S, E, Ev, Si>>
  >

  /** The tag of the producer of this kind. */
  readonly Producer: ProducerTag<Self, Definition<Name, C, S, E, Ev, Si>>

  /**
   * A producer of this kind, for as long as the layer lives: it starts jobs that a manager runs, in this process or in another one. Any
   * number of processes may have one; it owns nothing.
   */
  readonly producer: Layer.Layer<Producer<Self>, StoreError, RunStore | Requirements<Definition<Name, C, S, E, Ev, Si>>>

  /**
   * Starts jobs of this kind at the ticks of a cron expression, for as long as the layer lives: exactly one for each tick, over restarts
   * and in all processes that have the schedule. A new schedule, and one whose definition has changed, begins with the next tick. While
   * processes have different definitions, the definition that was registered last counts, and the others start nothing.
   */
  readonly schedule: (
    name: string,
    options: ScheduleOptions<Schema.Schema.Encoded<C>>
  ) => Layer.Layer<
    never,
    StoreError | InvalidJobConfig | InvalidCron,
    Self | RunStore | Requirements<Definition<Name, C, S, E, Ev, Si>>
  >
}

/**
 * Defines a kind of job. Its name is a lower-case letter, followed by up to 62 lower-case letters, digits and hyphens. Without schemas,
 * `success` and `error` accept any JSON, `events` any types and `signals` any names, both with any JSON as payload.
 *
 * @since 0.2.0
 * @category constructors
 * @example
 * import { JobKind, RunStore } from "charlotte"
 * import { Effect, Layer, Schema } from "effect"
 *
 * class Email extends JobKind.Tag<Email>()("email", {
 *   config: Schema.Struct({ to: Schema.String }),
 *   success: Schema.Struct({ messageId: Schema.String }),
 *   events: { "email.sent": Schema.Struct({ to: Schema.String }) }
 * }) {}
 *
 * const EmailLayer = Email.layer({
 *   maxJobs: 2,
 *   run: ({ config: { to }, emit }) =>
 *     Effect.as(emit({ type: "email.sent", payload: { to } }), { messageId: `for ${to}` })
 * })
 *
 * const program = Effect.gen(function* () {
 *   const emails = yield* Email
 *   const run = yield* emails.await(yield* emails.start({ to: "ada@example.com" }))
 *   if (run.status === "completed") assert.equal(run.result.messageId, "for ada@example.com")
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(Layer.provide(EmailLayer, RunStore.layerMemory))))
 */
export const Tag =
  <Self>() =>
  <
    const Name extends string,
    C extends Schema.Schema.All,
    Key extends Starts<Schema.Schema.Type<C>>["key"],
    Labels extends Starts<Schema.Schema.Type<C>>["labels"],
    S extends Schema.Schema.All = typeof Schema.Unknown,
    E extends Schema.Schema.All = typeof Schema.Unknown,
    Ev extends Schemas | undefined = undefined,
    Si extends Schemas | undefined = undefined
  >(
    name: Name,
    options: {
      readonly config: C
      readonly success?: S
      readonly error?: E
      readonly events?: Ev
      readonly signals?: Si
      /** Two active jobs never share a key; a job also holds the key that `check` returns. */
      readonly key?: Key
      /** Labels to filter runs by. */
      readonly labels?: Labels
      /**
       * The group of a job, such as its customer; none if it is `undefined`. At most `maxPerGroup` jobs of a group run at once, on all nodes
       * together; among runs of equal priority, those of a group with fewer active jobs begin first. It is recorded with the run.
       */
      readonly group?: (config: Schema.Schema.Type<C>) => string | undefined
      /** Maximum number of pending runs, delayed ones included; 10,000 by default. */
      readonly maxQueued?: number
      /**
       * Maximum size of a configuration, a result, and the payload of an event, in bytes of JSON; 1 MiB by default. A larger configuration is
       * `InvalidJobConfig`, and a larger result or event a defect of the job.
       */
      readonly maxBytes?: number
      /**
       * The version of the schemas; by default a hash of them. In a cluster, a node of another version begins a run
       * that nodes of one version cannot decode. It is needed only where a filter or a transformation changes, which the hash does not see.
       */
      readonly version?: string
    }
  ): TagClass<Self, Name, C, S, E, Ev, Si, Given<"key", Key> | Given<"labels", Labels>> => {
    type K = Definition<Name, C, S, E, Ev, Si>
    const { config, error, events, group, key, labels, maxBytes, maxQueued, signals, success, version, ...unknown } =
      options
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: Ev and Si are `undefined` where they were left out
    const declared = { events, signals } as { readonly events: Ev; readonly signals: Si }
    const definition: K = {
      kind: name,
      config,
      success: orUnknown(success),
      error: orUnknown(error),
      ...declared,
      starts: { key, labels, group, maxBytes, maxQueued },
      version
    }
    check(definition, Object.keys(unknown))
    const tag = Context.Tag(`charlotte/JobKind/${name}`)<Self, Service<K>>()
    const Producer: ProducerTag<Self, K> = Context.GenericTag(`charlotte/JobKind/${name}/Producer`)
    const producer = Layer.scoped(Producer, kindProducer.make(definition))
    const layer = <R, R2, R3>(options: LayerOptions<K, R, R2, R3>) =>
      kindLayer.make(tag, Producer, definition, kindManager.make(schemasOf<K>(definition), options, JobManager.make))
    const schedule = (name: string, options: ScheduleOptions<Schema.Schema.Encoded<C>>) =>
      Layer.scopedDiscard(
        Effect.flatMap(tag, (manager) => {
          const { config, kind, starts } = schemasOf<K>(definition)
          // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the manager of the kind makes them for its configurations
          const managed = managedStarts.get(manager) as Starts<Config<K>> | undefined
          const { group, key, labels, maxBytes, maxQueued } = managed ?? starts
          return schedules.make(
            {
              kind,
              config,
              key,
              ...(labels && { labels }),
              ...(group && { group }),
              ...(maxBytes !== undefined && { maxBytes }),
              ...(maxQueued !== undefined && { maxQueued })
            },
            name,
            options
          )
        })
      )
    return Object.assign(tag, definition, { layer, Producer, producer, schedule })
  }

/**
 * Decodes a raw record, such as one read by `Runs`, with the schemas of its kind.
 *
 * @since 0.2.0
 * @category decoding
 */
export const decodeRun = <K extends Any>(
  kind: K
): ((run: Record.Run) => Effect.Effect<Run<K>, UndecodableRun, Requirements<K>>) =>
  runDecoder(schemasOf(kind), identity)
