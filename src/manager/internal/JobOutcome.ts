/**
 * Decides the outcome of a job: here only, and once, from the `Exit` of the effect that `run` returned.
 */
import { Cause, Chunk, type DateTime, Duration, Exit, FiberId, HashSet, Option } from "effect"
import { parse, stringify } from "../../internal/Json.js"
import { lifecycle } from "../../domain/JobEvent.js"
import { type Parked, Run, RunError } from "../../domain/Run.js"
import { capped, runError } from "../../domain/runError.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { Change } from "../../store/port/RunStoreService.js"
import { sizeProblem } from "./maxBytes.js"

export type Outcome = Pick<Change, "result" | "error" | "parked"> & {
  readonly type: "job.completed" | "job.failed" | "job.cancelled" | "job.interrupted" | "job.parked"
}

/** The fiber id that the manager interrupts with, which distinguishes its interruptions from interruptions by the work itself. */
export const interruptor = FiberId.runtime(-1, 0)

/** What ends an attempt before its work has ended. Work that then succeeds or fails by itself counts all the same. */
export type End =
  | { readonly _tag: "Parked"; readonly parked: Parked }
  | { readonly _tag: "Failed"; readonly failure: unknown }
  | { readonly _tag: "Cancelled" }
  | { readonly _tag: "TimedOut"; readonly limit: Duration.Duration }

/**
 * `stopping`: a stop has begun. `end`: what else has ended the attempt. Without either, the manager interrupts only because it closes.
 * A result that is larger than `maxBytes` fails the job.
 */
export const decide = (
  exit: Exit.Exit<unknown, unknown>,
  { end, maxBytes, stopping }: { readonly stopping: boolean; readonly end?: End | undefined; readonly maxBytes: number }
): Outcome =>
  Exit.match(exit, {
    onSuccess: (value): Outcome => {
      const result = stringify(value)
      const tooLarge = sizeProblem(result, maxBytes)
      if (tooLarge === undefined) return { type: "job.completed", result: parse(result) }
      const problem = `the result ${tooLarge}`
      return { type: "job.failed", error: runError("defect", problem, problem) }
    },
    onFailure: (cause): Outcome => {
      const error = errorOf(cause)
      if (isByManager(cause)) {
        switch (end?._tag) {
          case "Parked":
            return error === undefined ? { type: "job.parked", parked: end.parked } : { type: "job.failed", error }
          case "Failed":
            return { type: "job.failed", error: errorOf(Cause.sequential(Cause.fail(end.failure), cause)) }
          case "Cancelled":
            return { type: "job.cancelled", error }
          case "TimedOut":
            return { type: "job.failed", error: timedOut(end.limit, cause) }
          case undefined:
            return stopping ? { type: "job.cancelled", error } : { type: "job.interrupted" }
        }
      }
      return { type: "job.failed", error: error ?? selfInterrupted(cause) }
    }
  })

/** The outcome of an attempt for a stop: however it ends, the job is cancelled, unless the attempt is to be continued. */
export const ofStop = ({ error, type }: Outcome): Outcome =>
  type === "job.interrupted" ? { type } : { type: "job.cancelled", error }

/** The outcome with a defect of a finalizer, which fails a job that had succeeded, and stands behind the cause of another failure. */
export const withDefect = (outcome: Outcome, cause: Cause.Cause<unknown>): Outcome => {
  const error = errorOf(cause)
  if (error === undefined) return outcome
  switch (outcome.type) {
    case "job.completed":
    case "job.parked":
      return { type: "job.failed", error }
    case "job.interrupted":
      return outcome
    default:
      return { ...outcome, error: outcome.error === undefined ? error : withCause(outcome.error, error.cause) }
  }
}

/**
 * Whether the manager's interruption came before any failure. Other interruptions prove nothing: a failure in `Effect.all`
 * interrupts its siblings.
 */
export const isByManager = (cause: Cause.Cause<unknown>): boolean => first(cause) === "manager"

const first = (cause: Cause.Cause<unknown>): "manager" | "failure" | undefined =>
  Cause.match(cause, {
    onEmpty: undefined,
    onFail: () => "failure" as const,
    onDie: () => "failure" as const,
    onInterrupt: (by) => (HashSet.has(FiberId.toSet(by), interruptor) ? ("manager" as const) : undefined),
    onSequential: (left, right) => left ?? right,
    onParallel: (left, right) => left ?? right
  })

/** The run once the outcome is recorded. */
export const recorded = (run: Run, { error, parked, result, type }: Outcome, at: DateTime.Utc): Run =>
  new Run(
    {
      ...run,
      status: lifecycle[type],
      ...(isTerminal(lifecycle[type]) ? { endedAt: at } : {}),
      ...(parked === undefined ? {} : { parked }),
      ...(parked?.retry === undefined ? {} : { tries: parked.retry.n, progress: undefined }),
      ...(type === "job.completed" ? { result } : {}),
      ...(error === undefined || type === "job.parked" ? {} : { error: capped(error) })
    },
    { disableValidation: true }
  )

/** A failure of the work, and its form encoded by the schema of its kind: the former is rendered, the latter recorded. */
export class EncodedFailure {
  readonly #failure: unknown
  readonly encoded: unknown

  constructor({ encoded, failure }: { readonly failure: unknown; readonly encoded: unknown }) {
    this.#failure = failure
    this.encoded = encoded
  }

  /** The failure before it was encoded. */
  get failure(): unknown {
    return this.#failure
  }

  /** Unlike `instanceof`, it does not touch a failure that may be a proxy. */
  static readonly is = (failure: unknown): failure is EncodedFailure =>
    typeof failure === "object" && failure !== null && #failure in failure
}

const asRecorded = (failure: unknown): unknown => (EncodedFailure.is(failure) ? failure.encoded : failure)

/** The failure before its schema has encoded it. */
export const asShown = (failure: unknown): unknown => (EncodedFailure.is(failure) ? failure.failure : failure)

/** The failure or the defect in a cause; none if there is only interruption. */
const errorOf = (cause: Cause.Cause<unknown>): RunError | undefined => {
  const failure = Option.map(Cause.failureOption(cause), (error) => ({ kind: "failure" as const, error }))
  const defect = Option.map(Chunk.head(Cause.defects(cause)), (error) => ({ kind: "defect" as const, error }))
  return Option.getOrUndefined(
    Option.map(
      Option.orElse(failure, () => defect),
      ({ error, kind }) => runError(kind, asRecorded(error), render(Cause.map(cause, asShown)))
    )
  )
}

/** The error with more to read behind its cause. */
export const withCause = (error: RunError, cause: string): RunError =>
  new RunError({ ...error, cause: `${error.cause}\n${cause}` }, { disableValidation: true })

/** The reason for which a job is not continued. */
export const recoveryError = (reason: string, cause: Cause.Cause<unknown> = Cause.empty): RunError =>
  runError("recovery", reason, Cause.isEmpty(cause) ? reason : `${reason}\n${render(cause)}`)

const timedOut = (limit: Duration.Duration, cause: Cause.Cause<unknown>): RunError => {
  const reason = `the attempt exceeded its time limit, ${Duration.format(limit)}`
  return runError("timeout", reason, Cause.isInterruptedOnly(cause) ? reason : `${reason}\n${render(cause)}`)
}

const selfInterrupted = (cause: Cause.Cause<unknown>): RunError =>
  runError("interrupted", "the orchestrator interrupted itself", render(cause))

/** An error whose getters throw must not prevent the end of its job from being recorded. */
export const render = (cause: Cause.Cause<unknown>): string => {
  try {
    return Cause.pretty(cause, { renderErrorCause: true })
  } catch {
    return "the cause cannot be rendered: reading its error throws"
  }
}
