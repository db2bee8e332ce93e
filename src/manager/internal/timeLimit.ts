/**
 * The time limit of an attempt: work that exceeds it is interrupted as by a stop, without the intent to stop.
 */
import { type Duration, Effect, Fiber, FiberId, Option, Ref } from "effect"
import * as runningTime from "../../internal/runningTime.js"
import type { Core } from "./Core.js"
import * as JobRegistry from "./JobRegistry.js"
import { recordAndInterrupt } from "./stopJob.js"

/** Runs `wait` under the time limit of the kind, from here. */
export const within = <Config, A>(
  core: Core<Config>,
  job: JobRegistry.Job<Config>,
  wait: Effect.Effect<A>
): Effect.Effect<A> => {
  const { timeout: limit } = core
  if (limit === undefined) return wait
  return Effect.gen(function* () {
    const exceeded = core.fork(exceed(core, job, { lapses: yield* Ref.get(core.lapses), limit }))
    const timer = yield* core.fork(Effect.asVoid(Effect.zipRight(runningTime.sleep(limit), exceeded)))
    const ended = yield* wait
    yield* Fiber.interruptAsFork(timer, FiberId.none)
    return ended
  })
}

const exceed = <Config>(
  core: Core<Config>,
  job: JobRegistry.Job<Config>,
  { lapses, limit }: { readonly limit: Duration.Duration; readonly lapses: number }
): Effect.Effect<void> =>
  Effect.gen(function* () {
    // A job that is interrupted because its manager closes, or its node has lost its lease, is continued later.
    if ((yield* core.shutdown.hasBegun) || (yield* Ref.get(core.lapses)) !== lapses) return
    // A job that is being stopped, parks or has ended meanwhile has no time limit.
    const ending = yield* JobRegistry.beginEnd(core.jobs, job.id, { _tag: "TimedOut", limit })
    if (!Option.exists(ending, ({ isFirst }) => isFirst)) return
    yield* job.grace.limit(core.stopGrace)
    yield* recordAndInterrupt(core, job, { type: "job.timeout", limit })
  })
