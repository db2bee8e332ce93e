/**
 * A manager of a kind of job: an ordinary manager, whose orchestrator encodes with the schemas of the kind, and whose records are
 * decoded with them.
 */
import { Cause, type Duration, Effect, Exit, HashMap, Option, Record, type Scope } from "effect"
import type { JobNotFound, StoreError, UndecodableRun } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { TypedRun } from "../../domain/Run.js"
import type { RunStore } from "../../store/RunStore.js"
import type * as JobManager from "../JobManager.js"
import type { Starts } from "../KindDefinition.js"
import type { ManagedJob } from "../ManagedJob.js"
import type { AnyEvents, AnyJob, AnySignals, JobContext, Service as Orchestrator } from "../Orchestrator.js"
import { EncodedFailure } from "./JobOutcome.js"
import { subscribeToEnds } from "./subscribeToEnds.js"
import { managedStarts } from "./managedStarts.js"
import * as Provide from "./provide.js"
import type { OnStop } from "./parts.js"
import type { Retry } from "./retry.js"
import {
  encoder,
  isAny,
  type KindSchemas,
  runDecoder,
  type RunSchemas,
  signalDecoder,
  Unencodable,
  withServices
} from "./kindSchemas.js"

export interface Options<C, S, E, Ev, Si, R, R2, R3> extends JobManager.Options, Pick<Starts<C>, "key" | "labels"> {
  readonly run: (job: JobContext<C, Ev, Si, E>) => Effect.Effect<S, E, R>
  readonly check?: Orchestrator<C, R, R2>["check"]
  readonly recover?: Orchestrator<C, R, R2>["recover"]
  readonly forget?: Orchestrator<C, R, R2>["forget"]
  readonly retry?: Retry<E>
  readonly timeout?: Duration.DurationInput
  readonly maxPerGroup?: number
  readonly onStop?: OnStop
  readonly onEnd?: (run: TypedRun<C, S, E>) => Effect.Effect<void, unknown, R3>
}

/** Where the type of the options is lost, a misspelt one would be none at all. */
const known: { readonly [Name in keyof Options<never, never, never, never, never, never, never, never>]-?: true } = {
  ...{ run: true, check: true, recover: true, forget: true, key: true, labels: true, onEnd: true, onStop: true },
  ...{ retry: true, timeout: true, stopGrace: true, recovery: true, retention: true, dispatch: true, onLost: true },
  ...{ maxJobs: true, maxPerGroup: true, maxQueued: true, maxBytes: true, maxChecks: true }
}

export const make = <C, CI, S, SI, E, EI, RS, Ev, Si, SiI, Event, R, R2, R3, EM, RM>(
  kind: KindSchemas<C, CI, S, SI, E, EI, RS>,
  options: Options<C, S, E, Ev, Si, R, R2, R3>,
  /** Makes the manager of one machine, or of a node of a cluster. */
  makeManager: (options: JobManager.MakeOptions<C, CI, RS, R, R2>) => Effect.Effect<JobManager.Service<C, CI>, EM, RM>
): Effect.Effect<JobManager.Service<C, CI, S, E, SiI, Event>, EM | StoreError, RS | RM | R3 | RunStore | Scope.Scope> =>
  Effect.gen(function* () {
    const { starts } = kind
    const unknown = Object.keys(options).filter((name) => !Object.hasOwn(known, name))
    if (unknown.length > 0) {
      return yield* Effect.dieMessage(`the layer of kind ${kind.kind} has no option ${unknown.join(", ")}`)
    }
    const {
      check,
      forget,
      key = starts.key,
      labels = starts.labels,
      maxBytes = starts.maxBytes,
      maxQueued = starts.maxQueued,
      onEnd,
      recover,
      retry,
      run,
      ...others
    } = options
    const provide = Provide.make(yield* Effect.context<RS>())
    const decode = runDecoder(kind, provide)
    const encodeFailure = failureEncoder(kind, provide)
    const encodeEnd = endEncoder(kind, encodeFailure, provide)
    const withEncodedEvents = eventEncoder<C, RS>(kind, provide)
    const withDecodedSignals = signalDecoders<C, RS>(kind, provide)
    const withEncodedFailure = (job: AnyJob<C>): Failing<C, E> =>
      isAny(kind.error)
        ? job
        : withOperations<C, E>(job, {
            fail: (failure) => Effect.flatMap(encodeFailure(failure), (encoded) => job.fail(encoded))
          })
    const typed = (job: AnyJob<C>) =>
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the kind says what `emit`, `park` and `signal` take
      withEncodedFailure(withDecodedSignals(withEncodedEvents(job))) as unknown as JobContext<C, Ev, Si, E>

    // It is registered first: recovery ends jobs, too.
    if (onEnd !== undefined) yield* subscribeToEnds(kind.kind, decode, onEnd)
    const manager = yield* makeManager({
      ...others,
      ...(key && { key }),
      ...(labels && { labels }),
      ...(starts.group && { group: starts.group }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...(maxQueued !== undefined && { maxQueued }),
      kind: kind.kind,
      hasProducers: true,
      config: kind.config,
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the jobs of the kind fail with its errors only
      ...(retry && { retry: retry as Retry<unknown> }),
      ...(kind.signals && { signals: Record.map(kind.signals, (schema) => withServices(schema, provide)) }),
      orchestrator: {
        ...(check && { check }),
        run: (job: AnyJob<C>) =>
          // The exit is encoded in an uninterruptible region: an interruption there would hide a failure.
          Effect.uninterruptibleMask((restore) => Effect.flatMap(Effect.exit(restore(run(typed(job)))), encodeEnd)),
        ...(recover && { recover }),
        ...(forget && { forget })
      }
    })

    const awaitRun = (id: JobId) => Effect.flatMap(manager.await(id), decode)
    const service: TypedService<C, CI, S, E> = {
      ...manager,
      await: awaitRun,
      get: (id) =>
        Effect.map(
          manager.get(id),
          Option.map((job) => ({ ...job, await: awaitRun(id) }))
        )
    }
    managedStarts.set(service, { key, labels, group: starts.group, maxBytes, maxQueued })
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: a schema has its own types and never `Untyped`, and the kind says what `emit` takes
    return service as JobManager.Service<C, CI, S, E, SiI, unknown> as JobManager.Service<C, CI, S, E, SiI, Event>
  })

/** `JobManager.Service` whose types are known to come from schemas. */
interface TypedService<C, CI, S, E> extends Omit<JobManager.Service<C, CI>, "await" | "get"> {
  readonly await: (id: JobId) => Effect.Effect<TypedRun<C, S, E>, JobNotFound | StoreError | UndecodableRun>
  readonly get: (
    id: JobId
  ) => Effect.Effect<Option.Option<ManagedJob<C, TypedRun<C, S, E>, JobNotFound | StoreError | UndecodableRun>>>
}

/** Encodes a failure of the work as it is recorded, unless it is encoded already. */
const failureEncoder = <C, CI, S, SI, E, EI, R>(
  { error }: RunSchemas<C, CI, S, SI, E, EI, R>,
  provide: Provide.Provide<R>
) => {
  const encodeError = encoder("error", error, provide)

  return (failure: E): Effect.Effect<E | EncodedFailure> =>
    Effect.matchEffect(encodeError(failure), {
      onFailure: ({ field, issue }) => Effect.die(new Unencodable({ field, issue, cause: failure })),
      onSuccess: (encoded) => Effect.succeed(encoded === failure ? failure : new EncodedFailure({ failure, encoded }))
    })
}

/** Encodes the exit of the work as it is recorded. */
const endEncoder = <C, CI, S, SI, E, EI, R>(
  { success }: RunSchemas<C, CI, S, SI, E, EI, R>,
  encodeFailure: (failure: E) => Effect.Effect<E | EncodedFailure>,
  provide: Provide.Provide<R>
) => {
  const encodeSuccess = encoder("result", success, provide)

  return (exit: Exit.Exit<S, E>): Effect.Effect<unknown, E | EncodedFailure> =>
    Exit.match(exit, {
      onSuccess: (value) => Effect.orDie(encodeSuccess(value)),
      onFailure: (cause) =>
        Option.match(Cause.failureOption(cause), {
          onNone: () => Effect.failCause(cause),
          onSome: (failure) =>
            Effect.flatMap(encodeFailure(failure), (encoded) =>
              Effect.failCause(
                encoded === failure ? cause : Cause.map(cause, (other) => (other === failure ? encoded : other))
              )
            )
        })
    })
}

/** A job whose `emit` encodes by the schemas of its kind. */
const eventEncoder = <C, R>(
  { events, kind }: Pick<KindSchemas<C, unknown, unknown, unknown, unknown, unknown, R>, "events" | "kind">,
  provide: Provide.Provide<R>
) => {
  const encoders = HashMap.fromIterable(
    Object.entries(events ?? {}).map(([type, schema]) => [type, encoder(type, schema, provide)] as const)
  )
  const declared = Object.keys(events ?? {}).join(", ") || "none"

  const emitter =
    ({ emit }: AnyJob<C>): AnyJob<C>["emit"] =>
    (event) =>
      Option.match(HashMap.get(encoders, event.type), {
        onNone: () =>
          Effect.dieMessage(
            `a job of kind ${kind} cannot emit an event of type ${event.type}: its kind declares ${declared}`
          ),
        onSome: (encode) =>
          Effect.flatMap(Effect.orDie(encode(event.payload)), (payload) => emit({ ...event, payload }))
      })

  return (job: AnyJob<C>): AnyJob<C> => (events === undefined ? job : withOperations(job, { emit: emitter(job) }))
}

/** A job that decodes its signals by the schemas of its kind. */
const signalDecoders = <C, R>(
  { kind, signals }: Pick<KindSchemas<C, unknown, unknown, unknown, unknown, unknown, R>, "kind" | "signals">,
  provide: Provide.Provide<R>
) => {
  const decoders = HashMap.fromIterable(
    Object.entries(signals ?? {}).map(([name, schema]) => [name, signalDecoder(name, schema, provide)] as const)
  )
  const declared = Object.keys(signals ?? {}).join(", ") || "none"
  const undeclared = (name: string) =>
    Effect.dieMessage(`a job of kind ${kind} takes no signal ${name}: its kind declares ${declared}`)

  const operations = ({ park, signal }: AnyJob<C>): Pick<AnyJob<C>, "park" | "signal"> => ({
    park: (options) =>
      options.signal === undefined || HashMap.has(decoders, options.signal)
        ? park(options)
        : undeclared(options.signal),
    signal: (name) =>
      Option.match(HashMap.get(decoders, name), {
        onNone: () => undeclared(name),
        onSome: (decode) =>
          Effect.flatMap(
            signal(name),
            Effect.transposeMapOption((payload) => Effect.orDie(decode(payload)))
          )
      })
  })

  return (job: AnyJob<C>): AnyJob<C> => (signals === undefined ? job : withOperations(job, operations(job)))
}

/** A job that fails with the errors of its kind. */
type Failing<C, E> = JobContext<C, AnyEvents, AnySignals, E>

/** Keeps the getter of `grace`, whose value changes. */
const withOperations = <C, E = unknown>(job: AnyJob<C>, operations: Partial<Failing<C, E>>): Failing<C, E> =>
  Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(job),
    ...Object.getOwnPropertyDescriptors(operations)
  })
