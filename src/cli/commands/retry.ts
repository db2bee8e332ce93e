/**
 * `charlotte retry`: a new job that begins with what another has done.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Schema } from "effect"
import { JobConfig } from "../../domain/JobConfig.js"
import * as JobName from "../JobName.js"
import * as Begin from "../run/Begin.js"
import type { Jobs } from "../Jobs.js"
import { about, job, json } from "./parameters.js"

export const retry = Command.make("retry", { job, json }, ({ job, json }) =>
  Begin.follow({ begin: (jobs) => Effect.flatMap(again(jobs, job), (config) => jobs.start(config)), json })
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
    const { config: before, id: retryOf } = yield* Effect.flatMap(JobName.find(jobs, name), (id) => jobs.get(id))
    const config = yield* Effect.orDie(Schema.decodeUnknown(JobConfig)(before))
    return yield* Effect.orDie(Schema.encode(JobConfig)(new JobConfig({ ...config, retryOf })))
  })
