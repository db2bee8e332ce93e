/**
 * Retries writes until the store accepts them, since they record what has happened already. Meanwhile the manager reports
 * that it is unhealthy.
 */
import { Duration, Effect, HashMap, type Option, Order, Ref, Schedule } from "effect"
import { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { asClock } from "../../internal/RealClock.js"
import type { Shutdown } from "./Shutdown.js"

/**
 * Whether everything that happened is recorded.
 *
 * @since 0.1.0
 * @category models
 */
export interface Health {
  readonly healthy: boolean
  /** Jobs with something that could not be written yet, and its error; oldest first. */
  readonly unrecorded: ReadonlyArray<{ readonly jobId: JobId; readonly error: StoreError }>
  /** How long the oldest write has waited, if that is a second or more; from 10 seconds on, the manager is not healthy. */
  readonly oldestWrite?: Duration.Duration
  /**
   * Jobs that have not ended within their grace, though they were stopped or have exceeded their time limit, or their work has ended: a
   * fiber or a finalizer of theirs runs. They keep their permits.
   */
  readonly overdue?: ReadonlyArray<JobId>
  /**
   * By how many milliseconds the clock of this machine is ahead of that of the database, negative if it is behind; missing up to 5 seconds.
   * Whatever is recorded or due goes by the clock of the database.
   */
  readonly clockAhead?: number
}

export interface PersistRetry {
  /** Retries a write of this job until it succeeds or is refused; fails with the store's error only once the manager has closed. */
  readonly persist: <A, E>(jobId: JobId, write: Effect.Effect<A, E | StoreError>) => Effect.Effect<A, E | StoreError>
  /** The error that currently keeps this job from being recorded. */
  readonly problem: (jobId: JobId) => Effect.Effect<Option.Option<StoreError>>
  readonly health: Effect.Effect<Health>
}

/** From `shownAfter` on a waiting write is shown, from `unhealthyAfter` on it makes the manager unhealthy: the store's retries are over. */
const shownAfter = Duration.seconds(1)
const unhealthyAfter = Duration.seconds(10)

const firstPause = Duration.millis(20)

/** The longest pause is short enough for a closing manager to see the end of its retries. */
const schedule = Schedule.exponential(Duration.times(firstPause, 2)).pipe(Schedule.union(Schedule.spaced("500 millis")))

export const make = (
  shutdown: Shutdown,
  oldestWrite: Effect.Effect<Duration.Duration> = Effect.succeed(Duration.zero)
): Effect.Effect<PersistRetry> =>
  Effect.gen(function* () {
    const problems = yield* Ref.make(HashMap.empty<JobId, StoreError>())
    // Retries use real time: under a `TestClock` that does not advance, nothing would be retried.
    const clock = yield* asClock

    const problem: PersistRetry["problem"] = (jobId) => Effect.map(Ref.get(problems), HashMap.get(jobId))

    const note = (jobId: JobId, error: unknown) =>
      Effect.gen(function* () {
        if (!(error instanceof StoreError)) return
        const known = yield* Ref.getAndUpdate(problems, HashMap.set(jobId, error))
        if (HashMap.has(known, jobId)) return
        yield* Effect.logError(`job ${jobId} cannot be recorded, retrying: ${error.message}`)
      })

    const isTemporary = (error: unknown): Effect.Effect<boolean> =>
      error instanceof StoreError && error.reason !== "closed"
        ? Effect.map(shutdown.isOver, (isOver) => !isOver)
        : Effect.succeed(false)

    // The retry is separate from the first attempt: a write that succeeds at once, as nearly all do, needs none of this.
    const retry = <A, E>(jobId: JobId, write: Effect.Effect<A, E | StoreError>) =>
      write.pipe(
        Effect.tapError((error) => note(jobId, error)),
        Effect.retry({ schedule, while: isTemporary }),
        Effect.delay(firstPause),
        Effect.ensuring(Ref.update(problems, HashMap.remove(jobId))),
        Effect.withClock(clock)
      )

    const persist: PersistRetry["persist"] = (jobId, write) =>
      Effect.catchAll(write, (error) =>
        Effect.if(isTemporary(error), {
          onTrue: () => Effect.annotateLogs(Effect.zipRight(note(jobId, error), retry(jobId, write)), { jobId }),
          onFalse: () => Effect.fail(error)
        })
      )

    return {
      persist,
      problem,
      health: Effect.zipWith(Ref.get(problems), oldestWrite, (all, oldestWrite) => ({
        healthy: HashMap.isEmpty(all) && Duration.lessThan(oldestWrite, unhealthyAfter),
        unrecorded: HashMap.toEntries(all)
          .map(([jobId, error]) => ({ jobId, error }))
          .sort(Order.mapInput(Order.string, ({ jobId }) => jobId)),
        ...(Duration.greaterThanOrEqualTo(oldestWrite, shownAfter) && { oldestWrite })
      }))
    }
  })
