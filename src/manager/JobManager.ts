/**
 * Starts jobs, limits how many run at once, records each, streams their events, stops them completely, and continues them after a
 * crash.
 *
 * @since 0.1.0
 */
import { type ConfigError, Context, Effect, Layer, Schema, type Scope } from "effect"
import type { AlreadyManaged, StoreError } from "../domain/errors.js"
import { JobConfig } from "../domain/JobConfig.js"
import type { RunStore } from "../store/RunStore.js"
import { assemble } from "./internal/assemble.js"
import { beginRun } from "./internal/beginRun.js"
import { continuesStop } from "./internal/Core.js"
import * as Parts from "./internal/parts.js"
import * as JobRegistry from "./internal/JobRegistry.js"
import * as limitJobs from "./internal/limitJobs.js"
import { limits } from "./internal/limits.js"
import { acquireOwnership } from "./internal/ownership.js"
import { takeOver } from "./internal/recovery.js"
import { ofTasks } from "./internal/ofTasks.js"
import { startJob } from "./internal/startJob.js"
import type { Options, Service } from "./JobManagerService.js"
import { Orchestrator } from "./Orchestrator.js"

export type { PrunedRuns, Retention } from "../domain/Retention.js"
export type { MakeOptions } from "./internal/parts.js"
export type { Health } from "./internal/persistRetry.js"
export type * from "./JobManagerService.js"

/**
 * The manager of jobs that a `JobConfig` describes; its kind of job (`JobKind`) is `tasks`.
 *
 * @since 0.1.0
 * @category tags
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
>() {
  /** The name of the kind. */
  static readonly kind = "tasks"
  /** The schema of a job's configuration. */
  static readonly config = JobConfig
  /** The schema of the success value of a job: any JSON. */
  static readonly success = Schema.Unknown
  /** The schema of the failure of a job: any JSON. */
  static readonly error = Schema.Unknown
  /** Jobs may emit events of any type. */
  static readonly events = undefined
  /** Jobs accept signals of any name. */
  static readonly signals = undefined
  /** A start needs nothing but a configuration. */
  static readonly starts = {}
}

/**
 * A manager of a custom job type, for as long as the scope lives. Orchestrator and schema get their services from this effect, not
 * from the callers of the manager. Fails with `AlreadyManaged` when another live manager of the kind owns the database.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <C, I, RS = never, R = Scope.Scope, R2 = never>(
  options: Parts.MakeOptions<C, I, RS, R, R2>
): Effect.Effect<
  Service<C, I>,
  StoreError | AlreadyManaged,
  RunStore | Scope.Scope | RS | Exclude<R, Scope.Scope> | R2
> =>
  Effect.gen(function* () {
    const parts = yield* Parts.make(options)
    const { admission, core, recover } = parts
    yield* acquireOwnership(core, core.newId((yield* core.store.now).epochMillis), options.onLost)
    yield* takeOver({ kind: options.kind, store: core.store, recover, continuesStop: continuesStop(core) })
    return yield* assemble(options, parts, {
      begin: (run) => beginRun(core, admission, run),
      resume: (run, sender) => beginRun(core, admission, run, { isResumed: true, sender }),
      start: (starting, submitted) => startJob(core, starting, submitted),
      wake: () => Effect.void,
      limit: limitJobs.ofManager(core),
      ids: JobRegistry.activeIds(core.jobs),
      elsewhere: () => Effect.succeedNone,
      join: Effect.void,
      leave: Effect.void
    })
  })

/**
 * Options of `JobManager.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface LayerOptions extends Options {
  /** The kind of the jobs; `tasks` by default. */
  readonly kind?: string
}

/**
 * A manager for as long as the layer lives. When the layer closes, it interrupts all jobs at once and waits for them; the next
 * manager on the same store resumes them. Fails with `AlreadyManaged` when another live manager of the kind owns the database.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: LayerOptions = {}
): Layer.Layer<JobManager, StoreError | AlreadyManaged, Orchestrator | RunStore> =>
  Layer.scoped(
    JobManager,
    Effect.flatMap(Orchestrator, (orchestrator) => make({ kind: "tasks", ...options, ...ofTasks, orchestrator }))
  )

/**
 * Like `layer`, but configured by `CHARLOTTE_MAX_JOBS` (a whole number) and `CHARLOTTE_STOP_GRACE` (a duration, such as
 * `10 seconds`).
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<
  JobManager,
  StoreError | AlreadyManaged | ConfigError.ConfigError,
  Orchestrator | RunStore
> = Layer.unwrapEffect(Effect.map(limits, layer))
