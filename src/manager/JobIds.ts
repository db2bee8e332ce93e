/**
 * New job ids: ULIDs, each greater than the one before.
 */
import { Effect, Random, Utils } from "effect"
import { monotonicFactory } from "ulid"
import { JobId } from "../domain/JobId.js"

/**
 * Time is given, and randomness comes from `Random`, whose numbers seed a generator of this manager's own: the factory
 * asks for numbers outside any fiber.
 */
export const make: Effect.Effect<(millis: number) => JobId> = Effect.map(
  Effect.all([Random.nextInt, Random.nextInt, Random.nextInt, Random.nextInt]),
  ([a, b, c, d]) => {
    const random = new Utils.PCGRandom(a, b, c, d)
    const next = monotonicFactory(() => random.number())
    // A time of 0, where TestClock begins, would make the factory look at the real clock.
    return (millis) => JobId.make(next(Math.max(millis, 1)))
  }
)
