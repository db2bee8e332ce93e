/**
 * Starts jobs, bounds how many run at once, records each, streams what they do, stops them for real, and carries on after a
 * crash.
 *
 * @since 0.1.0
 */
import { Config, type ConfigError, Context, Effect, Layer } from "effect"
import type { AlreadyManaged, StoreError } from "../domain/errors.js"
import { JobConfig } from "../domain/JobConfig.js"
import type { RunStore } from "../store/RunStore.js"
import * as Admission from "./Admission.js"
import { make, makeWith } from "./make.js"
import { Orchestrator } from "./Orchestrator.js"
import * as PlainConfig from "./PlainConfig.js"
import type { Options, Service } from "./Service.js"

export type { Health } from "./Durable.js"
export type { MakeOptions, Options, Service } from "./Service.js"

/**
 * The manager of jobs that are described by a `JobConfig`.
 *
 * @since 0.1.0
 * @example
 * import { JobManager } from "charlotte"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const manager = yield* JobManager.JobManager
 *   const id = yield* manager.start({ repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" })
 *   return yield* manager.await(id)
 * })
 */
export class JobManager extends Context.Tag("charlotte/JobManager")<
  JobManager,
  Service<JobConfig, typeof JobConfig.Encoded>
>() {}

/** @since 0.1.0 */
export interface LayerOptions extends Options {
  /** `tasks` when left out. */
  readonly kind?: string
}

/**
 * A manager, for as long as the layer lives. When the layer closes, all jobs are interrupted at once and waited for; the next
 * manager on the same store continues them.
 *
 * @since 0.1.0
 */
export const layer = (
  options: LayerOptions = {}
): Layer.Layer<JobManager, StoreError | AlreadyManaged, Orchestrator | RunStore> =>
  Layer.scoped(
    JobManager,
    Effect.flatMap(Orchestrator, (orchestrator) =>
      makeWith(
        { kind: "tasks", ...options, config: JobConfig, orchestrator, labels: ({ labels = {} }) => labels },
        Admission.make(JobConfig, orchestrator, PlainConfig.decode)
      )
    )
  )

/**
 * The same, configured by `CHARLOTTE_MAX_JOBS` (a whole number) and `CHARLOTTE_STOP_GRACE` (a duration, such as
 * `10 seconds`).
 *
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<
  JobManager,
  StoreError | AlreadyManaged | ConfigError.ConfigError,
  Orchestrator | RunStore
> = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      maxJobs: Config.integer("CHARLOTTE_MAX_JOBS").pipe(
        Config.validate({ message: "a whole number, 1 or more", validation: (n) => n >= 1 }),
        Config.withDefault(10)
      ),
      stopGrace: Config.duration("CHARLOTTE_STOP_GRACE").pipe(Config.withDefault("5 seconds"))
    }),
    layer
  )
)

export {
  /**
   * A manager of your own job type, for as long as its scope: give it a `kind`, a schema of its configuration, and an
   * orchestrator.
   *
   * @since 0.1.0
   */
  make
}
