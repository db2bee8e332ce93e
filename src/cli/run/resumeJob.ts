/**
 * `charlotte resume`: continues an interrupted job.
 */
import { Effect } from "effect"
import * as JobRef from "../target/JobRef.js"
import * as startAndFollow from "./startAndFollow.js"

export interface Options {
  readonly job: string
  readonly json: boolean
}

export const resumeJob = ({ job, json }: Options) =>
  startAndFollow.follow({ begin: (jobs) => Effect.tap(JobRef.find(jobs, job), (id) => jobs.resume(id)), json })
