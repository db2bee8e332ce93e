/**
 * Handles the requests of other nodes. They are hints: a node acts only on the row of the job.
 */
import { Effect, Option } from "effect"
import type { JobId } from "../domain/JobId.js"
import type { Core } from "../manager/internal/Core.js"
import * as JobRegistry from "../manager/internal/JobRegistry.js"
import { stopJob } from "../manager/internal/stopJob.js"
import { type Requests, Unrouted } from "./Engine.js"

export const answers = <Config>(core: Core<Config>, wake: (id: JobId) => Effect.Effect<void>): Requests => ({
  wake,
  stop: (id, grace) =>
    Effect.gen(function* () {
      const isHere = Option.isSome(yield* JobRegistry.find(core.jobs, id))
      const isStopping = isHere && Option.exists(yield* core.store.cluster.heldRun(id), ({ stopping }) => stopping)
      if (isStopping) return yield* stopJob(core, id, grace)
      yield* wake(id)
      return yield* new Unrouted({ jobId: id })
    })
})
