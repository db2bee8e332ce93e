/**
 * Parks a job: the work ends its attempt, and the job waits.
 */
import { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { Parked } from "../../domain/Run.js"
import type { ParkOptions } from "../Orchestrator.js"
import type { Core } from "./Core.js"
import { endAttempt } from "./endAttempt.js"
import { namePattern, nameRule } from "./signals.js"

export const park = <Config>(
  core: Core<Config>,
  id: JobId,
  { approval, decisions, limits, questions, reason, signal, tentative, until }: ParkOptions
): Effect.Effect<never> =>
  Effect.gen(function* () {
    if (until === undefined && signal === undefined) {
      return yield* Effect.dieMessage("a job parks until a time or for a signal; pass until, signal or both")
    }
    if (signal !== undefined && !namePattern.test(signal)) {
      return yield* Effect.dieMessage(`a job cannot park for the signal ${signal}: ${nameRule}`)
    }
    const parked = new Parked({
      reason,
      ...(until === undefined ? {} : { until }),
      ...(tentative === undefined ? {} : { tentative }),
      ...(signal === undefined ? {} : { signal }),
      ...(approval === undefined ? {} : { approval }),
      ...(questions === undefined ? {} : { questions }),
      ...(decisions === undefined ? {} : { decisions }),
      ...(limits === undefined ? {} : { limits })
    })
    return yield* endAttempt(core, id, { _tag: "Parked", parked })
  })
