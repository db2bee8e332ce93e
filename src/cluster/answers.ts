/**
 * Answers the requests of other nodes. They are hints: a node acts only on what the row of the job says.
 */
import { Effect, Option } from "effect"
import {
  type JobNotFound,
  type MaxJobsReached,
  type NotResumable,
  type ShuttingDown,
  StoreError
} from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { Core } from "../manager/internal/Core.js"
import * as JobRegistry from "../manager/internal/JobRegistry.js"
import { stopJob } from "../manager/internal/stopJob.js"
import { type Requests, type Service as Engine, Unrouted } from "./Engine.js"

type Resume = (
  id: JobId
) => Effect.Effect<void, JobNotFound | NotResumable | MaxJobsReached | ShuttingDown | StoreError>

export const answers = <Config>({
  core,
  engine,
  resume,
  wake
}: {
  readonly core: Core<Config>
  readonly engine: Engine
  /** Handles a hint that there may be work for this job. */
  readonly wake: (id: JobId) => Effect.Effect<void>
  /** Continues a run on this node. */
  readonly resume: Resume
}): Requests => ({
  wake,
  stop: (id, grace) =>
    Effect.gen(function* () {
      const active = yield* JobRegistry.find(core.jobs, id)
      const isStopping = Option.exists(yield* core.store.cluster.heldRun(id), ({ stopping }) => stopping)
      if (Option.isSome(active) && isStopping) return yield* stopJob(core, id, grace)
      yield* wake(id)
      return yield* new Unrouted({ jobId: id })
    }),
  resume: (id) => (engine.hasShard(id) ? resume(id) : new Unrouted({ jobId: id }))
})

/** Resumes a run: an interrupted one on the node that has its shard, a parked one on any node. */
export const resumeAnywhere = <Config>(
  core: Core<Config>,
  engine: Engine,
  resume: Resume,
  id: JobId
): ReturnType<Resume> =>
  Effect.gen(function* () {
    const { status } = yield* core.recordOf(id)
    if (status !== "interrupted" || engine.hasShard(id)) return yield* resume(id)
    yield* Effect.catchTag(engine.ask(core.kind).resume(id), "Unrouted", () => unreachable(id))
  })

const unreachable = (id: JobId) =>
  new StoreError({
    operation: "resume a job",
    reason: "unreachable",
    cause: new Error(`the node that has job ${id} cannot be reached at the moment; try again`)
  })
