/** A kind of job with the configuration of jobs of tasks, which can be retried and have a time limit, groups and producers. */
import { Effect, Layer } from "effect"
import type { AlreadyManaged, StoreError } from "../../src/domain/errors.js"
import { JobConfig } from "../../src/domain/JobConfig.js"
import * as JobKind from "../../src/manager/JobKind.js"
import * as JobManager from "../../src/manager/JobManager.js"
import { Orchestrator } from "../../src/manager/Orchestrator.js"
import type { RunStore } from "../../src/store/RunStore.js"

const labels = ({ labels = {} }: JobConfig) => labels

const group = ({ labels: { group } = {} }: JobConfig) => group

export class Work extends JobKind.Tag<Work>()("work", { config: JobConfig, labels, group }) {}

export type Options = Omit<JobManager.LayerOptions, "kind"> &
  Pick<JobKind.LayerOptions<typeof Work, never, never>, "retry" | "timeout" | "maxPerGroup" | "onStop"> &
  Pick<JobManager.MakeOptions<JobConfig, typeof JobConfig.Encoded>, "key">

/** Its manager, which looks like one of jobs of tasks, and a producer. */
export const layer = (
  options: Options
): Layer.Layer<JobManager.JobManager | JobKind.Producer<Work>, AlreadyManaged | StoreError, Orchestrator | RunStore> =>
  Layer.scoped(
    JobManager.JobManager,
    Effect.flatMap(Orchestrator, (orchestrator) =>
      JobManager.make({
        ...options,
        kind: Work.kind,
        config: JobConfig,
        labels,
        group,
        hasProducers: true,
        orchestrator
      })
    )
  ).pipe(Layer.merge(Work.producer))
