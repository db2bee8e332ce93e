/**
 * Waiting for a lock of another process. The driver is synchronous, so a long `busy_timeout` would freeze the event loop:
 * it gets a short one, and the rest of the wait is here.
 */
import { Effect } from "effect"
import { reasonOf } from "./failure.js"
import { WallClock } from "./WallClock.js"

/** What the driver itself may wait, in milliseconds of a frozen event loop. */
export const driverTimeout = 10

const patience = 5_000
const longestPause = 50

/** Tries again while the database is locked, until five seconds have passed since now, or since another time. */
export const retryWhileBusy = <A, E, R>(effect: Effect.Effect<A, E, R>, since?: number): Effect.Effect<A, E, R> =>
  Effect.flatMap(WallClock, (clock) =>
    Effect.flatMap(since === undefined ? clock.now : Effect.succeed(since), (start) => {
      const attempt = (pause: number): Effect.Effect<A, E, R> =>
        Effect.catchAll(effect, (error) =>
          reasonOf(error) !== "busy"
            ? Effect.fail(error)
            : Effect.flatMap(clock.now, (now) =>
                now - start > patience
                  ? Effect.fail(error)
                  : Effect.zipRight(clock.sleep(pause), attempt(Math.min(pause * 2, longestPause)))
              )
        )
      return attempt(1)
    })
  )
