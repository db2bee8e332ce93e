/**
 * Ends an attempt before its work has ended: the outcome is fixed first, and then the work is interrupted.
 */
import { Effect, Fiber, Option } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Core } from "./Core.js"
import { type End, interruptor } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import { reliableInterrupt } from "./reliableInterrupt.js"

/** What to do instead of ending an attempt, or waiting for a child, once the work of the job has ended or is being stopped. */
export const tooLate = (what: string, id: JobId) =>
  Effect.dieMessage(
    `${what} comes too late: the work of job ${id} has ended or is being stopped. In a finalizer, run a step, or start a child without waiting for it (wait: false)`
  )

export const endAttempt = <Config>(core: Core<Config>, id: JobId, end: End): Effect.Effect<never> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    const ending = yield* JobRegistry.beginEnd(core.jobs, id, end)
    if (Option.isNone(ending)) return yield* tooLate(names[end._tag], id)
    const { isFirst, job } = ending.value
    if (isFirst) yield* core.fork(reliableInterrupt(job.fiber, interruptor))
    // The work is interrupted here; a fiber outside of it, which nothing interrupts, waits for its end.
    yield* Effect.interruptible(Fiber.await(job.fiber))
    return yield* Effect.interrupt
  })

const names = { Parked: "park", Failed: "fail", Cancelled: "cancel", TimedOut: "the time limit" } as const
