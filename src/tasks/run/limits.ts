/**
 * The limits of a job, from charlotte.yaml.
 */
import { Clock, DateTime, Duration, Effect } from "effect"
import * as race from "../../internal/race.js"
import * as runningTime from "../../internal/runningTime.js"
import type { RunContext } from "./RunContext.js"
import { LimitReached } from "./errors.js"
import type { WorkingTime } from "./WorkingTime.js"

/** Fails if the limit of agent invocations is reached. */
export const agentCall = ({ progress, snapshot }: RunContext): Effect.Effect<void, LimitReached> =>
  Effect.suspend(() => {
    const { agentCalls } = snapshot.plan.settings.limits
    return agentCalls !== undefined && progress.calls() >= agentCalls
      ? new LimitReached({ limit: `${agentCalls} agent calls` })
      : Effect.void
  })

interface Limited extends Pick<RunContext, "parkedFor" | "working"> {
  readonly snapshot: Pick<RunContext["snapshot"], "at"> & {
    readonly plan: { readonly settings: Pick<RunContext["snapshot"]["plan"]["settings"], "limits"> }
  }
}

/**
 * Interrupts the work, and fails, once the time limit of the job is reached. Time is counted from submission, without time during
 * which the job was parked, all of its units waited, or this process was paused.
 */
export const within =
  ({ parkedFor, snapshot, working }: Limited) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | LimitReached, R> =>
    Effect.gen(function* () {
      const { duration } = snapshot.plan.settings.limits
      if (duration === undefined) return yield* working.work(work)
      const waited = Duration.sum(parkedFor, yield* working.waited)
      const end = DateTime.addDuration(snapshot.at, Duration.sum(duration, waited))
      const left = DateTime.distanceDuration(yield* DateTime.now, end)
      const over = DateTime.greaterThanOrEqualTo(yield* DateTime.now, end)
      const limit = new LimitReached({ limit: Duration.format(duration) })
      return yield* over
        ? limit
        : race.first<A, E | LimitReached, R>([working.work(work), Effect.zipRight(sleepOf(working, left), limit)])
    })

/** Sleeps for a duration of running time in which a unit is at work. */
const sleepOf = (working: WorkingTime, duration: Duration.Duration) =>
  Effect.gen(function* () {
    for (let left = Duration.toMillis(duration); left > 0;) {
      const interval = Math.min(Math.max(left, shortest), longest)
      const [from, waited] = [yield* Clock.currentTimeMillis, yield* working.waited]
      yield* Effect.sleep(interval)
      const counted = runningTime.counted(from, yield* Clock.currentTimeMillis, interval)
      const unworked = Duration.toMillis(Duration.subtract(yield* working.waited, waited))
      left -= Math.max(0, counted - unworked)
    }
  })

/** In milliseconds: how often the clock is read, also just before the limit. */
const [shortest, longest] = [100, 10_000]
