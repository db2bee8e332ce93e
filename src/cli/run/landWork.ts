/**
 * `charlotte land`: starts a job that lands what another has done.
 */
import { Array, Effect } from "effect"
import { landConfig } from "../../domain/landConfig.js"
import * as JobRef from "../target/JobRef.js"
import { withCallerSpan } from "../target/withCallerSpan.js"
import * as startAndFollow from "./startAndFollow.js"

export interface Options {
  readonly job: string
  readonly unit: ReadonlyArray<string>
  readonly json: boolean
}

export const landWork = ({ job, json, unit }: Options) =>
  startAndFollow.follow({
    begin: (jobs) =>
      Effect.gen(function* () {
        const former = yield* Effect.flatMap(JobRef.find(jobs, job), (id) => jobs.get(id))
        const config = yield* landConfig(former, Array.isNonEmptyReadonlyArray(unit) ? unit : undefined)
        return { id: yield* withCallerSpan(jobs.start(config)) }
      }),
    json
  })
