/**
 * `charlotte retry`: a new job that begins with what another has done.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option, Schema } from "effect"
import { JobNotFound } from "../../domain/errors.js"
import { JobConfig } from "../../domain/JobConfig.js"
import type { JobId } from "../../domain/JobId.js"
import { RunStore } from "../../store/RunStore.js"
import * as Embedded from "../Embedded.js"
import { about, jobId, json } from "./parameters.js"

export const retry = Command.make("retry", { jobId, json }, ({ jobId, json }) =>
  Embedded.follow({
    begin: (manager) => Effect.flatMap(again(jobId), (config) => manager.start(config)),
    json
  })
).pipe(
  Command.withDescription(
    about(
      "Starts a new job that begins with what a job that has failed or was cancelled has done, and tries the rest again.",
      "charlotte retry 01ARZ3NDEKTSV4RRFFQ69G5FAV"
    )
  )
)

/** The same as before, but for where it begins. */
const again = (retryOf: JobId) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const run = yield* store.get(retryOf)
    if (Option.isNone(run)) return yield* new JobNotFound({ jobId: retryOf })
    const config = yield* Effect.orDie(Schema.decodeUnknown(JobConfig)(run.value.config))
    return yield* Effect.orDie(Schema.encode(JobConfig)(new JobConfig({ ...config, retryOf })))
  })
