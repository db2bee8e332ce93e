/**
 * The limits of a job, from charlotte.yaml.
 */
import { DateTime, Duration, Effect } from "effect"
import * as race from "../../internal/race.js"
import * as runningTime from "../../internal/runningTime.js"
import type { RunContext } from "./RunContext.js"
import { LimitReached } from "./errors.js"

/** Fails if the limit of agent invocations is reached. */
export const agentCall = ({ progress, snapshot }: RunContext): Effect.Effect<void, LimitReached> =>
  Effect.suspend(() => {
    const { agentCalls } = snapshot.plan.settings.limits
    return agentCalls !== undefined && progress.calls() >= agentCalls
      ? new LimitReached({ limit: `${agentCalls} agent calls` })
      : Effect.void
  })

/**
 * Interrupts the work, and fails, once the time limit of the job is reached. Time is counted from submission, without time during
 * which the job was parked, since all of its units waited, or this process was paused.
 */
export const within =
  ({ parkedFor, snapshot }: RunContext) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | LimitReached, R> =>
    Effect.gen(function* () {
      const { duration } = snapshot.plan.settings.limits
      if (duration === undefined) return yield* work
      const end = DateTime.addDuration(snapshot.at, Duration.sum(duration, parkedFor))
      const left = DateTime.distanceDuration(yield* DateTime.now, end)
      const over = DateTime.greaterThanOrEqualTo(yield* DateTime.now, end)
      const limit = new LimitReached({ limit: Duration.format(duration) })
      return yield* over
        ? limit
        : race.first<A, E | LimitReached, R>([work, Effect.zipRight(runningTime.sleep(left), limit)])
    })
