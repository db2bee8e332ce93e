/**
 * `charlotte retry`: a new job that begins with what another has done.
 */
import * as Command from "@effect/cli/Command"
import type { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { about, jobId, json } from "./parameters.js"

export interface Given {
  readonly jobId: JobId
  readonly json: boolean
}

export const make = <E, R>(retry: (given: Given) => Effect.Effect<void, E, R>) =>
  Command.make("retry", { jobId, json }, retry).pipe(
    Command.withDescription(
      about(
        "Starts a new job that begins with what a job that has failed or was cancelled has done, and tries the rest again.",
        "charlotte retry 01ARZ3NDEKTSV4RRFFQ69G5FAV"
      )
    )
  )
