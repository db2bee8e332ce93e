/**
 * Retries while another process holds a lock. SQLite's driver is synchronous and would block the event loop, so its `busy_timeout`
 * is short, and the remaining wait happens here.
 */
import { Effect, type Predicate } from "effect"
import { reasonOf } from "./mapSqlError.js"
import { RealClock } from "../../internal/RealClock.js"

/** How long the driver itself may wait, in milliseconds of a blocked event loop. */
export const driverTimeout = 10

export const retryTimeout = 5_000
const maxDelay = 50

/** Whether a retry may succeed in a moment: the database is locked, or cannot be reached. */
export const isTemporary = (error: unknown): boolean => ["busy", "unreachable"].includes(reasonOf(error))

/** Retries while the database is locked or cannot be reached, for up to five seconds since the first failure, or since `since`. */
export const retryWhileBusy = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  since?: number,
  isBusy: Predicate.Predicate<unknown> = isTemporary
): Effect.Effect<A, E, R> =>
  whenBusy(effect, isBusy, (error) =>
    Effect.flatMap(RealClock, ({ now, sleep }) =>
      Effect.flatMap(since === undefined ? now : Effect.succeed(since), (start) => {
        const retry = (error: E, delay: number): Effect.Effect<A, E, R> =>
          Effect.flatMap(now, (now) =>
            now - start > retryTimeout
              ? Effect.fail(error)
              : Effect.zipRight(
                  sleep(delay),
                  whenBusy(effect, isBusy, (error) => retry(error, Math.min(delay * 2, maxDelay)))
                )
          )
        return retry(error, 1)
      })
    )
  )

/** Reads the clock only after a failure, which is rare. */
const whenBusy = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  isBusy: Predicate.Predicate<unknown>,
  wait: (error: E) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.catchAll(effect, (error) => (isBusy(error) ? wait(error) : Effect.fail(error)))
