/**
 * Defines a kind of job once: its manager's tag, its layer and types, the HTTP API, the typed client and the test layer are made
 * from this definition.
 *
 * @since 0.2.0
 */
import { Context, type Duration, type Effect, identity, Layer, type Schema, type Scope } from "effect"
import type { AlreadyManaged, InvalidJobConfig, StoreError, UndecodableRun } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type * as Record from "../domain/Run.js"
import type { RunStore } from "../store/RunStore.js"
import { check, orUnknown } from "./internal/kindDefinition.js"
import * as kindManager from "./internal/kindManager.js"
import { runDecoder } from "./internal/kindSchemas.js"
import type { Retry } from "./internal/retry.js"
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
  Requirements,
  Run,
  Schemas,
  Signals,
  Success
} from "./KindDefinition.js"
import type { Checked, JobContext } from "./Orchestrator.js"

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
export interface LayerOptions<K extends Any, R, R2> extends JobManager.Options {
  /** Runs the job; see `Orchestrator.Service.run`. Its scope is closed when it has ended. */
  readonly run: (job: JobContext<Config<K>, Events<K>, Signals<K>, Error<K>>) => Effect.Effect<Success<K>, Error<K>, R>
  /** Checks a configuration before the job is admitted; see `Orchestrator.Service.check`. */
  readonly check?: (config: Config<K>, submission?: unknown) => Effect.Effect<Checked, InvalidJobConfig, R2>
  /** Removes what a crash may have left running; see `Orchestrator.Service.recover`. */
  readonly recover?: (id: JobId, attempt: number) => Effect.Effect<void, unknown, R2>
  /** Removes what is kept of a job when its run is pruned; see `Orchestrator.Service.forget`. */
  readonly forget?: (id: JobId) => Effect.Effect<void, unknown, R2>
  /** Whether failed attempts are retried; by default a failure is the end of its job. */
  readonly retry?: Retry<Error<K>>
  /**
   * The time limit of an attempt, in running time; none by default. Work that exceeds it is interrupted, with `stopGrace` to end, and
   * fails with an error of kind `timeout`, unless it has succeeded or failed by itself.
   */
  readonly timeout?: Duration.DurationInput
  /** Two active jobs never share a key; a job also holds the key that `check` returns. */
  readonly key?: (config: Config<K>) => string
  /** Labels to filter runs by. */
  readonly labels?: (config: Config<K>) => { readonly [name: string]: string }
}

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
  Si extends Schemas | undefined
>
  extends
    Context.TagClass<Self, `charlotte/JobKind/${Name}`, Service<Definition<Name, C, S, E, Ev, Si>>>,
    Definition<Name, C, S, E, Ev, Si> {
  /**
   * The manager of this kind, for as long as the layer lives. Jobs get the services of this layer, not the services around the
   * manager or its callers. Fails with `AlreadyManaged` when another live manager of the kind owns the database.
   */
  readonly layer: <R, R2 = never>(
    options: LayerOptions<Definition<Name, C, S, E, Ev, Si>, R, R2>
  ) => Layer.Layer<
    Self,
    StoreError | AlreadyManaged,
    RunStore | Exclude<R, Scope.Scope> | R2 | Requirements<Definition<Name, C, S, E, Ev, Si>>
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
    S extends Schema.Schema.All = typeof Schema.Unknown,
    E extends Schema.Schema.All = typeof Schema.Unknown,
    Ev extends Schemas | undefined = undefined,
    Si extends Schemas | undefined = undefined
  >(
    name: Name,
    schemas: {
      readonly config: C
      readonly success?: S
      readonly error?: E
      readonly events?: Ev
      readonly signals?: Si
    }
  ): TagClass<Self, Name, C, S, E, Ev, Si> => {
    type K = Definition<Name, C, S, E, Ev, Si>
    const { config, error, events, signals, success } = schemas
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: Ev and Si are `undefined` where they were left out
    const declared = { events, signals } as { readonly events: Ev; readonly signals: Si }
    const definition: K = {
      kind: name,
      config,
      success: orUnknown(success),
      error: orUnknown(error),
      ...declared
    }
    check(definition)
    const tag = Context.Tag(`charlotte/JobKind/${name}`)<Self, Service<K>>()
    const layer: TagClass<Self, Name, C, S, E, Ev, Si>["layer"] = (options) =>
      Layer.scoped(tag, kindManager.make(schemasOf<K>(definition), options, JobManager.make))
    return Object.assign(tag, definition, { layer })
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
