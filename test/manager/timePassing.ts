/**
 * Lets the time of a `TestClock` pass for handlers that are tried again.
 */
import { Chunk, Clock, Effect, TestClock } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"

/** Longer than any pause before a handler is tried again, in milliseconds. */
const longest = 12 * 60_000

/**
 * While the effect runs, moves the clock to the end of each pause. It never moves while nothing pauses: a busy machine may take long to
 * record a failure, and that is no time of the test.
 */
export const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { turn } = yield* RealClock
    const pass = Effect.gen(function* () {
      yield* turn
      const now = yield* Clock.currentTimeMillis
      const pauses = Chunk.filter(yield* TestClock.sleeps(), (until) => until - now <= longest)
      if (Chunk.isNonEmpty(pauses)) yield* TestClock.setTime(Math.min(...pauses))
    })
    return yield* Effect.raceFirst(effect, Effect.forever(pass))
  })
