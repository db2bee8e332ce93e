/**
 * The children of an attempt: runs of other kinds that it starts and waits for, without holding its permit.
 */
import { Effect, FiberRef, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import { ChildFailed } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { maxNameBytes } from "../../domain/RecordedChild.js"
import { Parked, type Run, type TypedRun } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { request } from "../../domain/StartOptions.js"
import { nameProblem } from "../../domain/storable.js"
import { stringify } from "../../internal/Json.js"
import * as Permits from "../../internal/Permits.js"
import { RealClock } from "../../internal/RealClock.js"
import * as Tracing from "../../internal/Tracing.js"
import type { StartedChild } from "../../store/port/RunStoreService.js"
import type { Any, Requirements } from "../KindDefinition.js"
import type { AnyJob, ChildOptions } from "../Orchestrator.js"
import * as Admission from "./admission.js"
import type { Core } from "./Core.js"
import { endAttempt, tooLate } from "./endAttempt.js"
import * as JobIdGenerator from "./JobIdGenerator.js"
import * as JobRegistry from "./JobRegistry.js"
import { traceOf } from "./jobSpan.js"
import { runDecoder } from "./kindSchemas.js"
import * as Provide from "./provide.js"
import { recallOnce } from "./recallOnce.js"
import { schemasOf } from "./schemasOf.js"
import * as Steps from "./steps.js"
import { newRun, submit, unchecked } from "./submission.js"
import { letGoIfWorking } from "./writeEvents.js"

/** What an attempt knows of the children of its chain. */
interface State {
  readonly children: Map<string, StartedChild>
  /** How many of them had ended when that was read. */
  readonly ends: number
}

/** How a child has ended without a success: with its typed failure, or otherwise. */
type Failure<E> = { readonly ended: ChildFailed } | { readonly failure: E }

const dies = (name: string, problem: string) => Effect.dieMessage(`child ${name}: ${problem}`)

/** The operation of one attempt. Nothing is read or kept before its first child. */
export const make = <Config>(core: Core<Config>, run: Run, steps: Steps.Steps<Config>): AnyJob<Config>["child"] => {
  let made: ReturnType<typeof makeChild<Config>> | undefined
  const child = (kind: Any, config: unknown, options?: ChildOptions) =>
    Effect.suspend(() => (made ??= makeChild(core, run, steps))(kind, config, options))
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the kind says what its jobs take, return and fail with
  return child as AnyJob<Config>["child"]
}

const makeChild = <Config>(core: Core<Config>, run: Run, steps: Steps.Steps<Config>) => {
  const { attempt, id, tries = 0 } = run
  const chain = run.chain ?? id
  const recall: Effect.Effect<State> = recallOnce(core, run, {
    nothing: () => ({ children: new Map(), ends: 0 }),
    read: Effect.map(core.store.children.recall({ chain, jobId: id }), ({ children, ends }) => ({
      ends,
      // Any other has to be asked for again: it may have to be retried.
      children: new Map(
        children.flatMap(({ askedBy, name, status, ...child }) =>
          askedBy === id && child.tries === tries && status !== undefined ? [[name, { ...child, status }]] : []
        )
      )
    }))
  })

  /** Dies where a park would not be followed: after the work, or in what it does because it is being stopped. */
  const mayWait = Effect.checkInterruptible((isInterruptible) =>
    Effect.flatMap(JobRegistry.get(core.jobs, id), (found) => {
      const active = Option.getOrUndefined(found)
      const isRunning = active?._tag === "Running"
      const isWorking = isRunning || active?._tag === "Stopping" || active?._tag === "Ending"
      return isRunning || (isWorking && isInterruptible) ? Effect.void : tooLate("a wait for a child", id)
    })
  )

  /** The steps that wait for children, with how many children each waits for. */
  const waiting = new Map<string, number>()
  let awaited = 0
  const inTurn = Permits.make(1)

  /** Parks once every other step has ended, too: a park would interrupt it, and it would have to begin again. */
  const parkOnceIdle = ({ ends }: State) =>
    Effect.gen(function* () {
      const { turn } = yield* RealClock
      while (true) {
        const version = yield* steps.changes.version
        // Other fibers may be about to begin a step.
        yield* turn
        if (steps.running() === waiting.size) {
          const reason = awaited === 1 ? "waits for a child" : `waits for ${awaited} children`
          const parked = new Parked({ reason, children: awaited, childEnds: ends })
          return yield* endAttempt(core, id, { _tag: "Parked", parked })
        }
        yield* steps.changes.changed(version)
      }
    })

  const awaitEnd = (state: State): Effect.Effect<never> =>
    Effect.flatMap(FiberRef.get(Steps.around), (names) => {
      const change = (by: number) =>
        Effect.zipRight(
          Effect.sync(() => {
            awaited += by
            for (const name of names) {
              const count = (waiting.get(name) ?? 0) + by
              if (count === 0) waiting.delete(name)
              else waiting.set(name, count)
            }
          }),
          steps.changes.wake
        )
      return Effect.acquireUseRelease(
        change(1),
        () => inTurn(parkOnceIdle(state)),
        () => change(-1)
      )
    })

  return <K extends Any>(
    kind: K,
    input: unknown,
    { name: named, onParentStop = "stop", wait = true }: ChildOptions = {}
  ): Effect.Effect<unknown, unknown, Requirements<K>> =>
    Effect.gen(function* () {
      yield* steps.whileOpen
      yield* core.store.outsideTransaction
      const services = yield* Effect.context<Requirements<K>>()
      const schemas = schemasOf(kind)
      const name = named ?? `${kind.kind}-${createHash("sha256").update(stringify(input)).digest("hex").slice(0, 32)}`
      const problem = nameProblem(name, maxNameBytes)
      if (problem !== undefined) return yield* dies(name, problem)

      const begin = (state: State) =>
        Effect.gen(function* () {
          const at = yield* core.store.now
          const { group, key, labels = () => ({}), maxBytes } = schemas.starts
          const decodeConfig = Admission.decoder(schemas.config, services, maxBytes)
          const nextId = JobIdGenerator.above(core.newId, id)
          const maxQueued = Number.MAX_SAFE_INTEGER
          const starting = { admission: { decode: decodeConfig }, nextId, labels, key, group, maxQueued }
          const options = {
            idempotencyKey: `${chain}/${name}`,
            ...(key !== undefined && { whenKeyTaken: "queue" as const })
          }
          const requested = yield* request(options, { at, hasKey: key !== undefined })
          const submission = yield* submit(starting, input, { id: nextId(at.epochMillis), at, requested, options })
          const trace = traceOf(yield* Tracing.caller)
          const child = newRun({ kind: kind.kind }, starting, submission, { ...unchecked, trace })
          const started = yield* core.persistRetry.persist(
            id,
            core.store.children.start({ chain, jobId: id, attempt, tries, name, onParentStop, run: child })
          )
          state.children.set(name, started)
          return started
        }).pipe(
          // The attempt is over, or has been continued elsewhere.
          Effect.catchTag("Superseded", () => Effect.zipRight(letGoIfWorking(core, run), Effect.interrupt)),
          Effect.orDie
        )

      const started = Effect.gen(function* () {
        const state = yield* recall
        const child = state.children.get(name) ?? (yield* begin(state))
        if (child.kind !== kind.kind) return yield* dies(name, `it is a job of kind ${child.kind}, not ${kind.kind}`)
        return { child, state }
      })
      if (!wait) return (yield* started).child.id

      const step = `child/${name}`
      const decode = runDecoder(schemas, Provide.make(services))
      const ended = Effect.gen(function* () {
        if (!isTerminal((yield* recall).children.get(name)?.status ?? "pending")) yield* mayWait
        const { child, state } = yield* started
        if (!isTerminal(child.status)) return yield* awaitEnd(state)
        const found = yield* Effect.orDie(core.persistRetry.persist(id, core.store.get(child.id)))
        if (Option.isNone(found)) return yield* dies(name, `job ${child.id} was removed before its end was read`)
        const { createdAt, endedAt = createdAt } = found.value
        steps.durations.set(step, endedAt.epochMillis - createdAt.epochMillis)
        return yield* resultOf(name, yield* Effect.orDie(decode(found.value)))
      })
      const codec = { success: schemas.success, error: failureOf(schemas.error) }
      return yield* Effect.catchAll(steps.step(step, ended, codec), (failed) =>
        Effect.fail("ended" in failed ? failed.ended : failed.failure)
      )
    })
}

const makeFailure = <E, EI, R>(error: Schema.Schema<E, EI, R>) =>
  Schema.Union(Schema.Struct({ ended: ChildFailed }), Schema.Struct({ failure: error }))

/** Made once for each kind, since each schema compiles its parsers. */
const failures = new WeakMap<object, unknown>()

const failureOf = <E, EI, R>(error: Schema.Schema<E, EI, R>): ReturnType<typeof makeFailure<E, EI, R>> => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the schema of an error has the types of that error
  const known = failures.get(error) as ReturnType<typeof makeFailure<E, EI, R>> | undefined
  if (known !== undefined) return known
  const made = makeFailure(error)
  failures.set(error, made)
  return made
}

const resultOf = <C, S, E>(name: string, run: TypedRun<C, S, E>): Effect.Effect<S, Failure<E>> => {
  if (run.status === "completed") return Effect.succeed(run.result)
  if (run.status === "failed" && run.error.kind === "failure") return Effect.fail({ failure: run.error.error })
  return Effect.fail({ ended: failedChild(name, run) })
}

const failedChild = (
  child: string,
  {
    error,
    id: jobId,
    kind,
    status
  }: { readonly id: JobId } & Pick<TypedRun<unknown, unknown, unknown>, "kind" | "status" | "error">
) =>
  new ChildFailed({
    child,
    jobId,
    kind,
    status: status === "cancelled" ? "cancelled" : "failed",
    ...(error === undefined ? {} : { error: { kind: error.kind, error: error.error } })
  })
