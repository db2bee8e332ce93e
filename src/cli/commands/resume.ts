/**
 * `charlotte resume`: goes on with a job that was interrupted.
 */
import * as Command from "@effect/cli/Command"
import { Effect } from "effect"
import * as JobRef from "../JobRef.js"
import * as startAndFollow from "../run/startAndFollow.js"
import { about, job, json } from "./parameters.js"

export const resume = Command.make("resume", { job, json }, ({ job, json }) =>
  startAndFollow.follow({ begin: (jobs) => Effect.tap(JobRef.find(jobs, job), (id) => jobs.resume(id)), json })
).pipe(
  Command.withDescription(
    about("Goes on with a job that was interrupted; what it has done is not done again.", "charlotte resume latest")
  )
)
