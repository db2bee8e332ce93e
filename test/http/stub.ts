/** A server over a manager that does nothing but what it is told. */
import { errors, JobManager, RunStore } from "charlotte"
import type * as Http from "charlotte/http"
import { Effect, Layer, Stream } from "effect"
import { unknownId as jobId } from "../support/jobs.js"
import * as World from "./world.js"

export type Manager = JobManager.JobManager["Type"]

/** Fails where it is told to. */
const failing = (methods: Partial<Manager>): Manager => ({
  start: () => Effect.succeed(jobId),
  startMany: () => Effect.succeed([]),
  signal: () => new errors.JobNotFound({ jobId }),
  stop: () => new errors.JobNotFound({ jobId }),
  stopAll: Effect.succeed([]),
  stopAllBy: () => Effect.succeed([]),
  get: () => Effect.succeedNone,
  list: Effect.succeed([]),
  activeCount: Effect.succeed(0),
  await: () => new errors.JobNotFound({ jobId }),
  resume: () => Effect.void,
  retry: () => new errors.JobNotFound({ jobId }),
  retryMany: () => Stream.empty,
  remove: () => new errors.JobNotFound({ jobId }),
  removeMany: () => Stream.empty,
  reschedule: () => Effect.void,
  limit: () => Effect.void,
  maxJobs: Effect.succeed(10),
  pause: () => Effect.void,
  unpause: () => Effect.void,
  events: () => Stream.empty,
  allEvents: () => Stream.never,
  health: Effect.succeed({ healthy: true, unrecorded: [] }),
  ...methods
})

export const worldOf = (
  methods: Partial<Manager>,
  store: Partial<RunStore.Service> = {},
  options: Partial<Http.Server.Options> = {}
) =>
  World.over(
    Layer.merge(
      Layer.succeed(JobManager.JobManager, failing(methods)),
      Layer.effect(
        RunStore.RunStore,
        Effect.map(RunStore.RunStore, (memory) => ({ ...memory, ...store }))
      ).pipe(Layer.provide(RunStore.layerMemory))
    ),
    options
  )
