/**
 * The steps of an attempt: each runs once, is recorded, and is returned as it reads back from its record, now and in later attempts.
 */
import { Cause, Clock, Data, Deferred, Effect, Exit, FiberId, FiberRef, Option, type Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { maxNameBytes } from "../../domain/RecordedStep.js"
import type { Run } from "../../domain/Run.js"
import { nameProblem } from "../../domain/storable.js"
import { parse, stringify } from "../../internal/Json.js"
import * as Tracing from "../../internal/Tracing.js"
import type { KeptStep } from "../../store/port/RunStoreService.js"
import type { AnyJob, StepOptions } from "../Orchestrator.js"
import type { Core } from "./Core.js"
import type { EmitBuffer } from "./EmitBuffer.js"
import { isByManager } from "./JobOutcome.js"
import { makeNotifier } from "../../store/port/ChangeNotifier.js"
import { recallOnce } from "./recallOnce.js"
import { decoder, encoder, firstIssue, readsBack, type Unencodable } from "./kindSchemas.js"
import * as Provide from "./provide.js"
import * as stepMetrics from "./stepMetrics.js"
import { letGoIfWorking } from "./writeEvents.js"

const maxValueBytes = 1024 * 1024
const maxSteps = 10_000

/** A recorded outcome. */
type Kept = Pick<KeptStep, "ok" | "value">

/** What an attempt knows of the steps of its chain. */
interface State {
  /** The steps that are recorded, and the ends of those that run. */
  readonly steps: Map<string, { readonly kept: Kept } | { readonly ended: Deferred.Deferred<void> }>
  /** Recorded failures that a retry has forgotten. */
  readonly forgotten: ReadonlySet<string>
  /** The highest number of a step. */
  last: number
}

/** The names of the steps around an effect. */
export const around = FiberRef.unsafeMake<ReadonlyArray<string>>([])

/** A recorded step that the current schema cannot read; it is a defect of the job. */
export class UndecodableStep extends Data.TaggedError("UndecodableStep")<{
  readonly jobId: JobId
  readonly step: string
  readonly field: string
  readonly issue: string
}> {
  override get message() {
    return `step ${this.step} of job ${this.jobId} cannot be read: ${this.field}: ${this.issue}`
  }
}

const dies = (name: string, problem: string) => Effect.dieMessage(`step ${name}: ${problem}`)

/** The operations of one attempt, and what is known of the steps that run. */
export interface Steps<Config> extends Pick<AnyJob<Config>, "step" | "stepKey"> {
  /** How many steps run. */
  readonly running: () => number
  /** The durations in milliseconds, by name, of steps that wait for something else than their effect. */
  readonly durations: Map<string, number>
  /** Changes when a step has ended. */
  readonly changes: ReturnType<typeof makeNotifier>
  /** Dies once the attempt has ended. */
  readonly whileOpen: Effect.Effect<void>
}

/** The operations of one attempt. Nothing is read or kept before its first step. */
export const make = <Config>(
  core: Core<Config>,
  run: Run,
  events: Pick<EmitBuffer, "flush" | "whileOpen">
): Steps<Config> => {
  const { attempt, chain = run.id, id, tries = 0 } = run
  const changes = makeNotifier()
  const durations = new Map<string, number>()
  let running = 0

  const stateOf = (recorded: ReadonlyArray<KeptStep>): State => {
    const isForgotten = (step: KeptStep) => !step.ok && (step.jobId !== id || step.tries !== tries)
    const remembered = recorded.filter((step) => !isForgotten(step))
    return {
      steps: new Map(remembered.map(({ name, ok, value }) => [name, { kept: { ok, value } }])),
      forgotten: new Set(recorded.filter(isForgotten).map(({ name }) => name)),
      last: recorded.at(-1)?.seq ?? 0
    }
  }

  const recall = recallOnce(core, run, {
    nothing: () => stateOf([]),
    read: Effect.map(core.store.steps.recall(chain), stateOf)
  })

  const record = (state: State, name: string, kept: Kept, millis: number) =>
    Effect.gen(function* () {
      // What it has emitted is committed before it.
      yield* events.flush
      const step = {
        ...{ chain, jobId: id, attempt, tries, seq: (state.last += 1), name, ...kept, millis },
        at: yield* core.store.now,
        replaces: state.forgotten.has(name)
      }
      yield* Effect.catchTags(core.persistRetry.persist(id, core.store.steps.record(step)), {
        // The attempt is over, or has been continued elsewhere.
        Superseded: () => Effect.zipRight(letGoIfWorking(core, run), Effect.interrupt),
        StoreError: (error) => Effect.die(error)
      })
      state.steps.set(name, { kept })
      stepMetrics.count(core.kind, { millis, ok: kept.ok })
    })

  return {
    running: () => running,
    durations,
    changes,
    whileOpen: events.whileOpen,
    stepKey: (name) => `${chain}/${name}`,

    step: <A, E, R, AI = unknown, EI = unknown, RA = never, RE = never>(
      name: string,
      effect: Effect.Effect<A, E, R>,
      options: StepOptions<A, E, AI, EI, RA, RE> = {}
    ) =>
      Effect.gen(function* () {
        const problem = nameProblem(name, maxNameBytes)
        if (problem !== undefined) return yield* dies(name, problem)
        yield* events.whileOpen
        yield* core.store.outsideTransaction
        const { decode, encode } = codecOf(id, name, options, yield* Effect.context<RA | RE>())
        const state = yield* recall
        const outer = yield* FiberRef.get(around)
        const traced = Tracing.traced(Tracing.step, { attributes: { step: name } })(effect)
        const inside = Effect.locally(traced, around, [...outer, name])

        return yield* Effect.uninterruptibleMask((restore) => {
          const runs = Effect.gen(function* () {
            const began = yield* Clock.currentTimeMillis
            const exit = yield* Effect.exit(restore(inside))
            const outcome = outcomeOf(exit)
            if (Option.isNone(outcome)) return yield* exit
            const took = durations.get(name) ?? (yield* Clock.currentTimeMillis) - began
            const millis = Math.max(0, Math.round(took))
            const kept = yield* encode(outcome.value)
            const bytes = Buffer.byteLength(kept.value ?? "")
            if (bytes > maxValueBytes) {
              return yield* dies(name, `its value has ${bytes} bytes of JSON, and the limit is ${maxValueBytes}`)
            }
            yield* record(state, name, kept, millis)
            return yield* decode(kept)
          })

          const once: Effect.Effect<A, E, R> = Effect.suspend(() => {
            const found = state.steps.get(name)
            if (found !== undefined && "kept" in found) return decode(found.kept)
            if (found !== undefined) {
              return outer.includes(name)
                ? dies(name, "it waits for itself")
                : Effect.zipRight(restore(Deferred.await(found.ended)), once)
            }
            if (state.steps.size >= maxSteps) {
              return dies(name, `a job has at most ${maxSteps} steps, and each child for which it waits is one of them`)
            }
            const ended = Deferred.unsafeMake<void>(FiberId.none)
            state.steps.set(name, { ended })
            running += 1
            const release = Effect.sync(() => {
              const now = state.steps.get(name)
              if (now !== undefined && "ended" in now) state.steps.delete(name)
              Deferred.unsafeDone(ended, Effect.void)
              running -= 1
              changes.unsafeWake()
            })
            return Effect.ensuring(runs, release)
          })
          return once
        })
      })
  }
}

type Outcome<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** What is recorded: a success or a typed failure. A defect, an interruption and a park are not: the step runs again. */
const outcomeOf = <A, E>(exit: Exit.Exit<A, E>): Option.Option<Outcome<A, E>> =>
  Exit.match(exit, {
    onSuccess: (value) => Option.some({ ok: true, value }),
    onFailure: (cause) =>
      Cause.isDie(cause) || isByManager(cause)
        ? Option.none()
        : Option.map(Cause.failureOption(cause), (error) => ({ ok: false, error }))
  })

const codecOf = <A, E, AI, EI, RA, RE>(
  jobId: JobId,
  name: string,
  { error, success }: StepOptions<A, E, AI, EI, RA, RE>,
  services: Parameters<typeof Provide.make<RA | RE>>[0]
) => {
  const provide = Provide.make(services)
  const nameOfValue = `the value of step ${name}`
  const value = valueCodec(nameOfValue, success, provide, readsBack(nameOfValue, lost))
  const failure = valueCodec(`the failure of step ${name}`, error, provide, Effect.succeed)

  const read = <B>(decode: ReturnType<typeof valueCodec<B, unknown, never>>["decode"], { value }: Kept) =>
    Effect.catchAll(decode(value === undefined ? undefined : parse(value)), (error) => {
      return Effect.die(new UndecodableStep({ jobId, step: name, ...firstIssue("value", error) }))
    })

  return {
    encode: (outcome: Outcome<A, E>): Effect.Effect<Kept> =>
      Effect.map(Effect.orDie(outcome.ok ? value.encode(outcome.value) : failure.encode(outcome.error)), (encoded) => ({
        ok: outcome.ok,
        value: encoded === undefined ? undefined : stringify(encoded)
      })),
    decode: (kept: Kept): Effect.Effect<A, E> =>
      kept.ok ? read(value.decode, kept) : Effect.flatMap(read(failure.decode, kept), Effect.fail)
  }
}

const lost = "it is another value once JSON has read it back; pass its schema, { success }, or Effect.asVoid"

/** Without a schema, a value is what JSON makes of it, if `asJson` accepts that. */
const valueCodec = <A, I, R>(
  name: string,
  schema: Schema.Schema<A, I, R> | undefined,
  provide: Provide.Provide<R>,
  asJson: (value: A) => Effect.Effect<unknown, Unencodable>
) =>
  schema === undefined
    ? {
        encode: asJson,
        // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: without a schema, nothing says what a value is
        decode: (recorded: unknown) => Effect.succeed(recorded as A)
      }
    : { encode: encoder(name, schema, provide), decode: decoder(schema, provide) }
