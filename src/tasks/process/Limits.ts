/**
 * How long a child process may run, and how long it may be silent.
 */
import { Duration, Effect } from "effect"
import * as Together from "../../manager/Together.js"
import { WallClock } from "../../store/WallClock.js"
import { type Outcome, SilentTooLong, TimedOut } from "./Outcome.js"

/** What comes first: its end, or a limit. The process itself is not touched. */
export const within = (
  limits: {
    readonly total?: Duration.DurationInput | undefined
    readonly silence?: Duration.DurationInput | undefined
  },
  process: {
    readonly ended: Effect.Effect<Outcome>
    /** When it printed something last. */
    readonly lastAt: () => number
  }
): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const wallClock = yield* WallClock
    const startedAt = yield* wallClock.now
    const ends = [process.ended]
    if (limits.total !== undefined) {
      const limit = Duration.decode(limits.total)
      const due = startedAt + Duration.toMillis(limit)
      ends.push(
        Effect.as(
          past(() => due),
          TimedOut({ limit })
        )
      )
    }
    if (limits.silence !== undefined) {
      const limit = Duration.decode(limits.silence)
      const due = () => process.lastAt() + Duration.toMillis(limit)
      ends.push(Effect.as(past(due), SilentTooLong({ limit })))
    }
    return yield* Together.first(ends)
  })

/** What a timer can hold: 24 days. */
const longestSleep = 2 ** 31 - 1

/** Returns once `due` has come. It is asked again each time, for it may have moved. */
const past = (due: () => number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const wallClock = yield* WallClock
    for (;;) {
      const left = due() - (yield* wallClock.now)
      if (left <= 0) return
      yield* wallClock.sleep(Math.min(left, longestSleep))
    }
  })
