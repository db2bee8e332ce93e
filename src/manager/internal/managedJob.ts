/**
 * An active job as applications see it.
 */
import { Effect, Ref } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { ManagedJob } from "../ManagedJob.js"
import * as JobRegistry from "./JobRegistry.js"

/** Operations on a job by its id. */
export interface Operations {
  readonly events: (id: JobId, options?: { readonly after?: number }) => ReturnType<ManagedJob<unknown>["events"]>
  readonly stop: (
    id: JobId,
    options?: Parameters<ManagedJob<unknown>["stop"]>[0]
  ) => ReturnType<ManagedJob<unknown>["stop"]>
  readonly await: (id: JobId) => ManagedJob<unknown>["await"]
}

export const managedJob = <Config>(
  active: JobRegistry.Admitted<Config>,
  operations: Operations
): Effect.Effect<ManagedJob<Config>> =>
  Effect.map(Ref.get(active.job.record), ({ attempt, createdAt, id, startedAt = createdAt }) => ({
    id,
    config: active.job.config,
    attempt,
    startedAt,
    phase: JobRegistry.phaseOf(active),
    events: (options) => operations.events(id, options),
    stop: (options) => operations.stop(id, options),
    await: operations.await(id)
  }))
