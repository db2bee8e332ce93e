/**
 * `charlotte retry`: a new job that begins with what another has done.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import * as JobRef from "../JobRef.js"
import * as startAndFollow from "../run/startAndFollow.js"
import type { Jobs } from "../JobSource.js"
import { about, job, json } from "./parameters.js"

export const retry = Command.make("retry", { job, json }, ({ job, json }) =>
  startAndFollow.follow({ begin: (jobs) => Effect.flatMap(again(jobs, job), (config) => jobs.start(config)), json })
).pipe(
  Command.withDescription(
    about(
      "Starts a new job that begins with what a job that has failed or was cancelled has done, and tries the rest again.",
      "charlotte retry latest"
    )
  )
)

/** The same as before, but for where it begins. */
const again = (jobs: Jobs, name: string) =>
  Effect.gen(function* () {
    const { config: before, id: retryOf } = yield* Effect.flatMap(JobRef.find(jobs, name), (id) => jobs.get(id))
    const config = yield* Effect.orDie(Schema.decodeUnknown(JobConfig)(before))
    return yield* Effect.orDie(Schema.encode(JobConfig)(new JobConfig({ ...config, retryOf })))
  })
