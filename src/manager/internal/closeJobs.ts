/**
 * Closes a manager: interrupts all jobs at the same time, and waits for them under one deadline.
 */
import { Duration, Effect, Ref } from "effect"
import { graceWhenTaken } from "../../internal/timing.js"
import type { Core } from "./Core.js"
import { interruptor } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import { reliableInterrupt } from "./reliableInterrupt.js"
import { afterGrace } from "./stopJob.js"

export const closeJobs = <Config>(core: Core<Config>, grace = core.stopGrace): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { persistRetry, shutdown } = core
    const stopGrace = Duration.min(grace, core.stopGrace)
    yield* shutdown.begin
    yield* Effect.forEach(yield* JobRegistry.all(core.jobs), (active) => end(core, active, stopGrace), {
      discard: true
    })
    if (!(yield* shutdown.withinDeadline(allEnded(core), Duration.sum(stopGrace, afterGrace)))) {
      yield* Effect.logWarning(
        "jobs have not ended in time; they are continued once this process is gone and the next manager starts"
      )
    }
    const { healthy } = yield* persistRetry.health
    yield* shutdown.end
    yield* Effect.forEach(yield* JobRegistry.all(core.jobs), abandon, { discard: true })
    // Jobs that only waited to be recorded give up now, and end.
    if (!healthy) yield* shutdown.withinDeadline(allEnded(core), afterGrace)
  })

/** Interrupts a job, so that its attempt is recorded as interrupted. */
export const end = <Config>(
  core: Core<Config>,
  active: JobRegistry.ActiveJob<Config>,
  grace: Duration.Duration
): Effect.Effect<void> =>
  active._tag === "Admitting"
    ? active.withdraw
    : Effect.zipRight(active.job.grace.limit(grace), core.fork(reliableInterrupt(active.job.fiber, interruptor)))

/** Interrupts a job that another node may have taken over, so that both may be working on it. */
export const letGo = <Config>(core: Core<Config>, active: JobRegistry.ActiveJob<Config>): Effect.Effect<void> =>
  end(core, active, Duration.min(graceWhenTaken, core.stopGrace))

/** Completes the waiters of a job that does not end. */
const abandon = <Config>(active: JobRegistry.ActiveJob<Config>): Effect.Effect<void> =>
  active._tag === "Admitting" ? Effect.void : JobRegistry.notify(active.job)

/** Returns when no job holds a permit any more. */
export const allEnded = <Config>({ maxJobs, permits }: Core<Config>): Effect.Effect<void> =>
  // oxlint-disable-next-line eslint/no-restricted-properties -- it takes all permits, once the manager closes
  Effect.flatMap(Ref.get(maxJobs), (all) => permits.withPermits(all)(Effect.void))
