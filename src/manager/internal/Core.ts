/**
 * What the parts of a manager share.
 */
import type { Duration, Effect, Scope } from "effect"
import type { JobNotFound, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { Service as Store } from "../../store/Port.js"
import type { makeSignal } from "../../store/Signals.js"
import type { JobContext } from "../Orchestrator.js"
import type { ForkJob } from "./forkJob.js"
import type { JobRegistry } from "./JobRegistry.js"
import type { PersistRetry } from "./persistRetry.js"
import type { Shutdown } from "./Shutdown.js"

export type Notifier = ReturnType<typeof makeSignal>

export interface Core<in out Config> {
  readonly kind: string
  readonly maxJobs: number
  readonly stopGrace: Duration.Duration
  readonly store: Store
  readonly jobs: JobRegistry<Config>
  readonly permits: Effect.Semaphore
  /** Changes whenever a permit is free again. */
  readonly permitFreed: Notifier
  /** Changes whenever a job has ended and its permit is free again. */
  readonly jobEnded: Notifier
  /** What the orchestrator does; `forkJob` provides its services. */
  readonly run: (job: JobContext<Config>) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly shutdown: Shutdown
  readonly persistRetry: PersistRetry
  readonly forkJob: ForkJob
  /** The manager's own. */
  readonly scope: Scope.Scope
  /** Runs a fiber of the manager's own, which outlives whoever calls. */
  readonly fork: (effect: Effect.Effect<void>) => Effect.Effect<void>
  /** The record of a run of this manager's kind. */
  readonly recordOf: (id: JobId) => Effect.Effect<Run, JobNotFound | StoreError>
}
