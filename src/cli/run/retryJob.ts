/**
 * `charlotte retry`: starts a new job from the completed work of another.
 */
import { Array, Effect, Option, Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import * as JobRef from "../target/JobRef.js"
import type { Jobs } from "../target/JobSource.js"
import { withCallerSpan } from "../target/withCallerSpan.js"
import * as startAndFollow from "./startAndFollow.js"

export interface Options {
  readonly job: string
  readonly target: Option.Option<string>
  readonly unit: ReadonlyArray<string>
  readonly fresh: boolean
  readonly json: boolean
}

export const retryJob = ({ json, ...options }: Options) =>
  startAndFollow.follow({
    begin: (jobs) => Effect.flatMap(retryConfig(jobs, options), (config) => withCallerSpan(jobs.start(config))),
    json
  })

/** The config of the former job, with a reference to it. */
const retryConfig = (jobs: Jobs, { fresh, job, target, unit }: Omit<Options, "json">) =>
  Effect.gen(function* () {
    const { config: before, id: retryOf } = yield* Effect.flatMap(JobRef.find(jobs, job), (id) => jobs.get(id))
    const config = yield* Effect.orDie(Schema.decodeUnknown(JobConfig)(before))
    const targetBranch = Option.getOrElse(target, () => config.targetBranch)
    // A job that lands the work of another lands the same units again.
    const same = config.landOf === undefined ? undefined : config.units
    const units = Array.isNonEmptyReadonlyArray(unit) ? unit : same
    const retried = { ...config, targetBranch, retryOf, units, fresh: fresh || undefined }
    return yield* Effect.orDie(Schema.encode(JobConfig)(new JobConfig(retried)))
  })
