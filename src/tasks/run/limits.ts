/**
 * The limits that charlotte.yaml sets to a job.
 */
import { DateTime, Duration, Effect } from "effect"
import * as race from "../../internal/race.js"
import * as runningTime from "../../internal/runningTime.js"
import type { RunContext } from "./RunContext.js"
import { LimitReached } from "./errors.js"

/** Fails when no agent may be called any more. */
export const agentCall = ({ progress, submission }: RunContext): Effect.Effect<void, LimitReached> =>
  Effect.suspend(() => {
    const { agentCalls } = submission.plan.settings.limits
    return agentCalls !== undefined && progress.calls() >= agentCalls
      ? new LimitReached({ limit: `${agentCalls} agent calls` })
      : Effect.void
  })

/**
 * Interrupts the work, and fails, once the job takes longer than it may; counted from when it was submitted, without the time in
 * which this process was paused.
 */
export const within =
  ({ submission }: RunContext) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | LimitReached, R> =>
    Effect.gen(function* () {
      const { duration } = submission.plan.settings.limits
      if (duration === undefined) return yield* work
      const left = DateTime.distanceDuration(yield* DateTime.now, DateTime.addDuration(submission.at, duration))
      const over = DateTime.greaterThanOrEqualTo(yield* DateTime.now, DateTime.addDuration(submission.at, duration))
      const limit = new LimitReached({ limit: Duration.format(duration) })
      return yield* over
        ? limit
        : race.first<A, E | LimitReached, R>([work, Effect.zipRight(runningTime.sleep(left), limit)])
    })
