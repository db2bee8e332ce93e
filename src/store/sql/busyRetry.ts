/**
 * Waiting for a lock of another process. The driver is synchronous, so a long `busy_timeout` would freeze the event loop:
 * it gets a short one, and the rest of the wait is here.
 */
import { Effect } from "effect"
import { reasonOf } from "./mapSqlError.js"
import { RealClock } from "../../internal/RealClock.js"

/** What the driver itself may wait, in milliseconds of a frozen event loop. */
export const driverTimeout = 10

const patience = 5_000
const longestPause = 50

/** Tries again while the database is locked, until five seconds have passed since it was first, or since another time. */
export const retryWhileBusy = <A, E, R>(effect: Effect.Effect<A, E, R>, since?: number): Effect.Effect<A, E, R> =>
  whenBusy(effect, (error) =>
    Effect.flatMap(RealClock, ({ now, sleep }) =>
      Effect.flatMap(since === undefined ? now : Effect.succeed(since), (start) => {
        const again = (error: E, pause: number): Effect.Effect<A, E, R> =>
          Effect.flatMap(now, (now) =>
            now - start > patience
              ? Effect.fail(error)
              : Effect.zipRight(
                  sleep(pause),
                  whenBusy(effect, (error) => again(error, Math.min(pause * 2, longestPause)))
                )
          )
        return again(error, 1)
      })
    )
  )

/** The clock is asked only then: most that is read and written finds no lock. */
const whenBusy = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  wait: (error: E) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.catchAll(effect, (error) => (reasonOf(error) === "busy" ? wait(error) : Effect.fail(error)))
