import { type DateTime, Effect } from "effect"
import { RealClock } from "./RealClock.js"

/** Milliseconds between two checks of a clock that may have jumped. */
const jumpCheck = 1_000

/** Returns once the clock has reached that time, even if it is set, or if the wait exceeds the longest timer of a process, 24.8 days. */
export const afterJump = (due: number, now: Effect.Effect<DateTime.Utc>): Effect.Effect<void> =>
  Effect.flatMap(RealClock, ({ sleep }) =>
    Effect.repeat(Effect.zipRight(sleep(jumpCheck), now), { until: ({ epochMillis }) => epochMillis >= due })
  )
