/**
 * Waits for the end of a job that is active, waits to be continued, or is over.
 */
import { Deferred, Effect, Option } from "effect"
import type { JobNotFound, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { traced } from "../../internal/Tracing.js"
import type { Core } from "./Core.js"
import * as JobRegistry from "./JobRegistry.js"

/** If the manager closes first, returns the current record. */
export const awaitEnd = <Config>(core: Core<Config>, id: JobId): Effect.Effect<Run, JobNotFound | StoreError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    while (true) {
      const active = yield* JobRegistry.find(core.jobs, id)
      if (Option.isSome(active)) {
        const run = yield* Deferred.await(active.value.job.ended)
        if (isTerminal(run.status)) return run
        // A parked job continues when it is woken, and a job that this node of a cluster has released continues elsewhere.
        if (run.status !== "parked" && (yield* core.shutdown.hasBegun)) return run
      }
      const run = yield* awaitInactive(core, id)
      if (Option.isSome(run)) return run.value
    }
  }).pipe(traced("JobManager.await"))

/** The record once the job has ended, or the manager has closed; none if the job may have become active. */
const awaitInactive = <Config>(core: Core<Config>, id: JobId) =>
  Effect.gen(function* () {
    const signal = yield* core.store.changes(id)
    const version = yield* signal.version
    const run = yield* core.recordOf(id)
    // The end is recorded before the permit is free and the job leaves the registry.
    if (Option.isSome(yield* JobRegistry.get(core.jobs, id))) return Option.none<Run>()
    if (isTerminal(run.status) || (yield* core.shutdown.isOver)) return Option.some(run)
    yield* core.shutdown.orOver(signal.changed(version))
    return Option.none<Run>()
  }).pipe(Effect.scoped)
