/**
 * Parks a job: the work ends its attempt, and the job waits. The outcome is fixed first, and then the work is interrupted.
 */
import { Effect, Option } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { Parked } from "../../domain/Run.js"
import type { ParkOptions } from "../Orchestrator.js"
import type { Core } from "./Core.js"
import { interruptor } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"
import { reliableInterrupt } from "./reliableInterrupt.js"
import { namePattern, nameRule } from "./signals.js"

export const park = <Config>(
  core: Core<Config>,
  id: JobId,
  { reason, signal, until }: ParkOptions
): Effect.Effect<never> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    if (until === undefined && signal === undefined) {
      return yield* Effect.dieMessage("a job parks until a time or for a signal; pass until, signal or both")
    }
    if (signal !== undefined && !namePattern.test(signal)) {
      return yield* Effect.dieMessage(`a job cannot park for the signal ${signal}: ${nameRule}`)
    }
    const parked = new Parked({
      reason,
      ...(until === undefined ? {} : { until }),
      ...(signal === undefined ? {} : { signal })
    })
    // None if a stop or another `park` came first: either interrupts the work, too.
    const job = yield* JobRegistry.beginPark(core.jobs, id, parked)
    if (Option.isSome(job)) yield* core.fork(reliableInterrupt(job.value.fiber, interruptor))
    return yield* Effect.interruptible(Effect.never)
  })
