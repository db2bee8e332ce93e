/**
 * Jobs of a kind without options, which do nothing, and callers that start them one after another. No time passes, so that everything is
 * done for the jobs, and the same each time.
 */
import { JobKind } from "charlotte"
import { Effect, Layer, Schema } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { clockOf } from "../support/clockOf.js"

export class Plain extends JobKind.Tag<Plain>()("plain", { config: Schema.Struct({}) }) {}

export const toItsEnd = Effect.gen(function* () {
  const manager = yield* Plain
  yield* manager.await(yield* manager.start({}))
})

export const untilStopped = Effect.gen(function* () {
  const manager = yield* Plain
  yield* manager.stop(yield* manager.start({}))
})

/** Each caller starts its next job when the last one has ended. */
export const closedLoop = <E>(callers: number, lives: number, life: Effect.Effect<void, E, Plain>) =>
  Effect.forEach(
    Array.from({ length: callers }),
    () => Effect.replicateEffect(life, lives / callers, { discard: true }),
    {
      concurrency: "unbounded",
      discard: true
    }
  )

/** A fiber that sleeps never wakes, so that nothing is done from time to time. */
export const withoutTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  effect.pipe(
    Effect.provide(
      Layer.effect(
        RealClock,
        Effect.map(RealClock, ({ turn }) => ({ now: Effect.succeed(0), sleep: () => Effect.never, turn }))
      )
    ),
    Effect.withClock(
      clockOf(
        () => 0,
        () => Effect.never
      )
    )
  )
