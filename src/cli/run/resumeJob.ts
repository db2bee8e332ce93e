/**
 * `charlotte resume`: continues an interrupted or parked job.
 */
import { Effect, Option } from "effect"
import { sender } from "../act/sender.js"
import * as JobRef from "../target/JobRef.js"
import * as startAndFollow from "./startAndFollow.js"

export interface Options {
  readonly job: string
  /** How much it may spend in all. */
  readonly usd: Option.Option<number>
  readonly tokens: Option.Option<number>
  readonly json: boolean
}

export const resumeJob = ({ job, json, tokens, usd }: Options) =>
  startAndFollow.follow({
    begin: (jobs) =>
      Effect.tap(JobRef.find(jobs, job), (id) =>
        jobs.resume(id, {
          ...(Option.isSome(usd) && { usd: usd.value }),
          ...(Option.isSome(tokens) && { tokens: tokens.value }),
          by: sender()
        })
      ),
    json
  })
