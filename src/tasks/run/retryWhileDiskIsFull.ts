import { Effect, Predicate, Schedule } from "effect"

/** As Node and git report it. */
const isDiskFull = (error: unknown): boolean =>
  Predicate.hasProperty(error, "message") && /no space left on device/i.test(String(error.message))

const schedule = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("10 seconds")),
  Schedule.upTo("30 minutes")
)

/**
 * Retries what fails because the disk is full, for up to half an hour: a gate that has passed is worth the wait, and another attempt
 * would find no space either. `onFull` runs each time.
 */
export const retryWhileDiskIsFull =
  <E1, R1>(onFull: Effect.Effect<void, E1, R1>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E1, R | R1> =>
    effect.pipe(
      Effect.tapError((error) => (isDiskFull(error) ? onFull : Effect.void)),
      Effect.retry({ while: isDiskFull, schedule })
    )
