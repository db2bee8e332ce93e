/**
 * The port that an application implements: what a job does.
 *
 * @since 0.1.0
 */
import { Context, type Duration, Effect, Layer, type Scope } from "effect"
import type { InvalidJobConfig } from "../domain/errors.js"
import type { JobConfig } from "../domain/JobConfig.js"
import type { EmittedEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import { withContext } from "../store/WithContext.js"

/** @since 0.1.0 */
export class Orchestrator extends Context.Tag("charlotte/Orchestrator")<Orchestrator, Service<JobConfig>>() {}

/** @since 0.1.0 */
export interface Service<in Config> {
  /**
   * Looks at a configuration before the job is admitted; quick, and without side effects. Two active jobs never share a
   * `key`.
   *
   * At `start`, `submission` is `undefined`, and what is answered as such is recorded together with the run, as JSON: what
   * was found out when the job was submitted, fixed from then on. When the job is continued, the recorded one is given,
   * also as JSON, and what is answered then is passed over.
   */
  readonly check?: (config: Config, submission?: unknown) => Effect.Effect<Checked, InvalidJobConfig>

  /**
   * Does the job. It is interrupted to stop it; what it acquires in its scope is released before the stop returns. Its
   * success value is kept with the run, as JSON.
   */
  readonly run: (job: JobContext<Config>) => Effect.Effect<unknown, unknown, Scope.Scope>

  /**
   * Clears away what a crash may have left running of earlier attempts of this job, such as child processes. It is called
   * before a job of a dead manager goes on or is ended, and when it fails the job is not continued. With a `StoreError` the
   * manager itself fails, and the job is left to the next one.
   */
  readonly recover?: (id: JobId) => Effect.Effect<void, unknown>
}

/**
 * What `check` answers.
 *
 * @since 0.1.0
 */
export interface Checked {
  readonly key?: string
  readonly submission?: unknown
}

/** @since 0.1.0 */
export interface JobContext<out Config> {
  readonly id: JobId
  readonly config: Config
  /** What `check` found out when the job was submitted, as it reads back from JSON; `undefined` when that was nothing. */
  readonly submission: unknown
  /** 1 for the first attempt; each continuation counts one up. */
  readonly attempt: number
  /** How long a polite end may take after interruption. Read it then: a stop may bring a grace of its own. */
  readonly grace: Duration.Duration
  /** Accepts an event into a bounded queue, in order; waits while it is full. A type that begins with `job.` is a defect. */
  readonly emit: (event: EmittedEvent) => Effect.Effect<void>
  /** Returns when all that was emitted is committed; use it before a side effect that depends on it. */
  readonly flush: Effect.Effect<void>
  /** Says that something had to be killed; the stop report will tell. */
  readonly forced: Effect.Effect<void>
}

/**
 * An orchestrator of one function.
 *
 * @since 0.1.0
 * @example
 * import { Orchestrator } from "charlotte"
 * import { Effect } from "effect"
 *
 * const Greeter = Orchestrator.layer((job) =>
 *   job.emit({ type: "greeter.hello", payload: job.config.labels }).pipe(Effect.as("done"))
 * )
 */
export const layer = <R = never>(
  run: (job: JobContext<JobConfig>) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<Orchestrator, never, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Orchestrator,
    Effect.map(Effect.context<Exclude<R, Scope.Scope>>(), (context) =>
      Orchestrator.of({
        run: (job) =>
          withContext(
            run(job),
            // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: Exclude<R, Scope> and Scope make R
            (scope: Context.Context<Scope.Scope>) => Context.merge(context, scope) as Context.Context<R>
          )
      })
    )
  )
