/**
 * How long a child process may run, and how long it may be silent. Both are measured in time in which this process and the
 * child could run: a suspended machine, a paused container or a Ctrl-Z is no reason to end a job.
 */
import { Duration, Effect } from "effect"
import * as race from "../internal/race.js"
import { RealClock } from "../internal/RealClock.js"
import { type ProcessOutcome, SilentTooLong, TimedOut } from "./ProcessOutcome.js"

export interface WatchedProcess {
  readonly ended: Effect.Effect<ProcessOutcome>
  /** Changes with every chunk of output that is read. */
  readonly printed: () => number
  /** Whether the last chunk is still being written, so that more may be waiting in the pipe. */
  readonly isBehind: () => boolean
  /** Whether the process is stopped, as by SIGSTOP. */
  readonly isStopped: () => boolean
  readonly onSlow?: ((slow: Slow) => Effect.Effect<void>) | undefined
}

/**
 * A process that has used up 80 % of a limit.
 *
 * @since 0.2.0
 * @category models
 */
export interface Slow {
  /** The time limit, or the limit without output. */
  readonly limit: "total" | "silence"
  readonly after: Duration.Duration
  readonly of: Duration.Duration
}

const slowShare = 0.8

/** The outcome of the process, or the limit that it exceeds first. The process itself is not touched. */
export const within = (
  limits: {
    readonly total?: Duration.DurationInput | undefined
    readonly silence?: Duration.DurationInput | undefined
  },
  process: WatchedProcess
): Effect.Effect<ProcessOutcome> =>
  limits.total === undefined && limits.silence === undefined
    ? process.ended
    : race.first([process.ended, exceeded(Duration.decode(limits.total ?? Duration.infinity), limits, process)])

/** The longest beat, in milliseconds. */
const longestBeat = 1_000

/** The minimum number of beats in the shorter limit, so that one beat too many makes little difference. */
const leastBeats = 8

/**
 * Returns once a limit is used up. Time is counted in beats, and each adds at most its own length: a pause of this process counts
 * as one beat, however long it was.
 */
const exceeded = (
  total: Duration.Duration,
  limits: { readonly silence?: Duration.DurationInput | undefined },
  { isBehind, isStopped, onSlow = () => Effect.void, printed }: WatchedProcess
): Effect.Effect<ProcessOutcome> =>
  Effect.gen(function* () {
    const { now, sleep, turn } = yield* RealClock
    const silence = Duration.decode(limits.silence ?? Duration.infinity)
    const [mostUsed, mostSilent] = [Duration.toMillis(total), Duration.toMillis(silence)]
    const beat = Math.min(longestBeat, Math.min(mostUsed, mostSilent) / leastBeats)
    let used = 0
    let silent = 0
    let seen = printed()
    const slow = { total: false, silence: false }
    const warn = (limit: keyof typeof slow, time: number, of: Duration.Duration) => {
      const before = slow[limit]
      slow[limit] = time >= slowShare * Duration.toMillis(of)
      return slow[limit] && !before ? onSlow({ limit, after: Duration.millis(Math.round(time)), of }) : Effect.void
    }
    const hasPrinted = () => {
      const before = seen
      seen = printed()
      return seen !== before || isBehind()
    }
    for (;;) {
      const length = Math.max(1, Math.min(beat, mostUsed - used, mostSilent - silent))
      const from = yield* now
      yield* sleep(length)
      const time = Math.min((yield* now) - from, length)
      if (hasPrinted()) silent = 0
      else if (isStopped()) continue
      else silent += time
      used += time
      if (used < mostUsed && silent < mostSilent) {
        yield* Effect.zipRight(warn("total", used, total), warn("silence", silent, silence))
        continue
      }
      // After a pause, timers run first; output printed meanwhile, and the exit, are read in the next turn.
      yield* turn
      yield* turn
      if (hasPrinted()) silent = 0
      if (used >= mostUsed) return TimedOut({ limit: total })
      if (silent >= mostSilent) return SilentTooLong({ limit: silence })
    }
  })
