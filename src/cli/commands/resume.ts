/**
 * `charlotte resume`: goes on with a job that was interrupted.
 */
import * as Command from "@effect/cli/Command"
import { Effect } from "effect"
import * as Embedded from "../Embedded.js"
import { about, jobId, json } from "./parameters.js"

export const resume = Command.make("resume", { jobId, json }, ({ jobId, json }) =>
  Embedded.follow({ begin: (manager) => Effect.as(manager.resume(jobId), jobId), json })
).pipe(
  Command.withDescription(
    about(
      "Goes on with a job that was interrupted; what it has done is not done again.",
      "charlotte resume 01ARZ3NDEKTSV4RRFFQ69G5FAV"
    )
  )
)
