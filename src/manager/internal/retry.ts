/**
 * Retries of a kind: whether a failed attempt is followed by another, and when.
 */
import { Cause, DateTime, Duration, Effect, Exit, Option, Random } from "effect"
import { Parked, type RunError } from "../../domain/Run.js"
import { withError } from "../../domain/runError.js"
import * as JobOutcome from "./JobOutcome.js"

/**
 * Retries of the jobs of a kind. A failed attempt with retries left parks the job, which keeps its keys, until its next attempt.
 *
 * @since 0.2.0
 * @category options
 */
export interface Retry<in Error = never> {
  /** The maximum number of retries, 0 to 1,000. */
  readonly times: number
  /** Which typed failures are retried; all by default. */
  readonly while?: (error: Error) => boolean
  /** Whether attempts that die or interrupt themselves are retried, too; `false` by default. */
  readonly defects?: boolean
  /** Whether attempts that exceed the time limit are retried; `true` by default. */
  readonly timeouts?: boolean
  /**
   * The pause before the n-th retry, at most 365 days: from 1 on, or by default 1 second, twice as long each time up to `max` (1 hour),
   * ± 20 %.
   */
  readonly delay?: Backoff | ((n: number) => Duration.DurationInput)
}

/**
 * A pause that grows with each retry, ± 20 %.
 *
 * @since 0.2.0
 * @category options
 */
export interface Backoff {
  readonly base: Duration.DurationInput
  /** 2 by default. */
  readonly factor?: number
  /** 1 hour by default. */
  readonly max?: Duration.DurationInput
}

const maxTimes = 1_000
const longest = Duration.days(365)

/** Why the options are invalid; a programming error. */
export const problem = (kind: string, { times }: Retry): string | undefined => {
  if (kind === "tasks") return "jobs of kind tasks are not retried as a whole: their tasks have attempts"
  return Number.isSafeInteger(times) && times >= 0 && times <= maxTimes
    ? undefined
    : `retry.times is a whole number from 0 to ${maxTimes}, not ${times}`
}

export const pauseBefore = (
  n: number,
  delay: Retry["delay"] = { base: "1 second" }
): Effect.Effect<Duration.Duration> =>
  Effect.suspend(() => {
    if (typeof delay === "function") return Effect.sync(() => Duration.min(Duration.decode(delay(n)), longest))
    const { base, factor = 2, max = "1 hour" } = delay
    const pause = Math.min(Duration.toMillis(base) * factor ** (n - 1), Duration.toMillis(max))
    return Effect.map(Random.nextRange(0.8, 1.2), (spread) =>
      Duration.min(Duration.millis(Math.round(pause * spread)), longest)
    )
  })

const isRetried = (retry: Retry<unknown>, { kind }: RunError, exit: Exit.Exit<unknown, unknown>): boolean => {
  if (kind === "timeout") return retry.timeouts ?? true
  if (kind !== "failure") return retry.defects ?? false
  const failure = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
  return retry.while === undefined || Option.exists(Option.map(failure, JobOutcome.asShown), retry.while)
}

/** The outcome of an attempt that may be retried: one that fails with retries left parks. `tries` is how often it was retried. */
export const orRetry = (
  retry: Retry<unknown>,
  tries: number,
  outcome: JobOutcome.Outcome,
  exit: Exit.Exit<unknown, unknown>,
  now: Effect.Effect<DateTime.Utc>
): Effect.Effect<JobOutcome.Outcome> => {
  const { error } = outcome
  if (outcome.type !== "job.failed" || error === undefined || tries >= retry.times) return Effect.succeed(outcome)
  return Effect.gen(function* () {
    if (!isRetried(retry, error, exit)) return outcome
    const n = tries + 1
    const until = DateTime.addDuration(yield* now, yield* pauseBefore(n, retry.delay))
    const parked = new Parked(
      { reason: `retry ${n} of ${retry.times}`, until, retry: { n, of: retry.times, error } },
      { disableValidation: true }
    )
    return { type: "job.parked" as const, parked: withError(parked, error), error }
  }).pipe(
    // A `while` or `delay` that throws.
    Effect.catchAllDefect((defect) =>
      Effect.succeed({ ...outcome, error: JobOutcome.withCause(error, JobOutcome.render(Cause.die(defect))) })
    )
  )
}
