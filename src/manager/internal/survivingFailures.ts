import { Cause, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { RealClock } from "../../internal/RealClock.js"

/** Milliseconds to wait after a failure of the store. */
const pause = 500

/** Logs a failure of the store, and waits before the effect is repeated. */
export const survivingFailures =
  (message: string) =>
  (effect: Effect.Effect<void, StoreError>): Effect.Effect<void> =>
    Effect.catchAllCause(effect, (cause) =>
      Cause.isInterrupted(cause)
        ? Effect.interrupt
        : Effect.zipRight(
            Effect.logWarning(message, cause),
            Effect.flatMap(RealClock, ({ sleep }) => sleep(pause))
          )
    )
