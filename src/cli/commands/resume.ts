/**
 * `charlotte resume`: goes on with a job that was interrupted.
 */
import * as Command from "@effect/cli/Command"
import type { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { about, jobId, json } from "./parameters.js"

export interface Given {
  readonly jobId: JobId
  readonly json: boolean
}

export const make = <E, R>(resume: (given: Given) => Effect.Effect<void, E, R>) =>
  Command.make("resume", { jobId, json }, resume).pipe(
    Command.withDescription(
      about(
        "Goes on with a job that was interrupted; what it has done is not done again.",
        "charlotte resume 01ARZ3NDEKTSV4RRFFQ69G5FAV"
      )
    )
  )
