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
      Effect.gen(function* () {
        const id = yield* JobRef.find(jobs, job)
        // What is wrong with the job, the resume itself says.
        const former = yield* Effect.option(jobs.get(id))
        yield* jobs.resume(id, {
          ...(Option.isSome(usd) && { usd: usd.value }),
          ...(Option.isSome(tokens) && { tokens: tokens.value }),
          by: sender()
        })
        return { id, resumed: Option.getOrUndefined(former)?.attempt }
      }),
    json
  })
