/**
 * Ends an attempt before its work has ended: the outcome is fixed first, and then the work is interrupted.
 */
import { Effect, Option } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Core } from "./Core.js"
import { type End, interruptor } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import { reliableInterrupt } from "./reliableInterrupt.js"

export const endAttempt = <Config>(core: Core<Config>, id: JobId, end: End): Effect.Effect<never> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    // None if a stop or another end came first: either interrupts the work, too.
    const job = yield* JobRegistry.beginEnd(core.jobs, id, end)
    if (Option.isSome(job)) yield* core.fork(reliableInterrupt(job.value.fiber, interruptor))
    return yield* Effect.interruptible(Effect.never)
  })
