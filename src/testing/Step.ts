/**
 * The steps of a scripted orchestrator.
 *
 * @since 0.1.0
 */
import { Data, type Duration, Effect, type Scope } from "effect"
import type { EmittedEvent } from "../domain/JobEvent.js"
import type { JobConfig } from "../domain/JobConfig.js"
import type { KilledProcess } from "../domain/StopReport.js"
import type { JobContext, ParkOptions } from "../manager/Orchestrator.js"

/**
 * One step. It continues to the next step by returning nothing, or ends the job with a success value. `Job` is the part of its job that
 * it uses.
 *
 * @since 0.1.0
 * @category models
 */
export type Step<in Job = JobContext<JobConfig>> = (job: Job) => Effect.Effect<void | Ended, unknown, Scope.Scope>

class Ended extends Data.Class<{ readonly value: unknown }> {}

/**
 * Emits an event.
 *
 * @since 0.1.0
 * @category steps
 */
export const emit =
  <const Event extends EmittedEvent>(event: Event): Step<{ readonly emit: (event: Event) => Effect.Effect<void> }> =>
  (job) =>
    job.emit(event)

/**
 * Waits, by the `Clock`; a stop interrupts it.
 *
 * @since 0.1.0
 * @category steps
 */
export const wait =
  (duration: Duration.DurationInput): Step<unknown> =>
  () =>
    Effect.sleep(duration)

/**
 * Waits for that time and cannot be interrupted.
 *
 * @since 0.1.0
 * @category steps
 */
export const ignoreInterruption =
  (duration: Duration.DurationInput): Step<unknown> =>
  () =>
    Effect.uninterruptible(Effect.sleep(duration))

/**
 * From this step on, the job takes that long to clean up when it ends.
 *
 * @since 0.1.0
 * @category steps
 */
export const cleanUp =
  (duration: Duration.DurationInput): Step<unknown> =>
  () =>
    Effect.addFinalizer(() => Effect.sleep(duration))

/**
 * From this step on, the job dies while it cleans up.
 *
 * @since 0.1.0
 * @category steps
 */
export const dieCleaningUp =
  (defect: unknown): Step<unknown> =>
  () =>
    Effect.addFinalizer(() => Effect.die(defect))

/**
 * Reports that something had to be killed.
 *
 * @since 0.1.0
 * @category steps
 */
export const forced: Step<Pick<JobContext<unknown>, "forced">> = (job) => job.forced

/**
 * Reports which processes had to be killed.
 *
 * @since 0.2.0
 * @category steps
 */
export const killed =
  (processes: ReadonlyArray<KilledProcess>): Step<Pick<JobContext<unknown>, "killed">> =>
  (job) =>
    job.killed(processes)

/**
 * Waits until everything that was emitted is committed.
 *
 * @since 0.1.0
 * @category steps
 */
export const flush: Step<Pick<JobContext<unknown>, "flush">> = (job) => job.flush

/**
 * Parks the job, which continues as its next attempt.
 *
 * @since 0.2.0
 * @category steps
 */
export const park =
  (options: ParkOptions): Step =>
  (job) =>
    job.park(options)

/**
 * Completes the job.
 *
 * @since 0.1.0
 * @category steps
 */
export const succeed =
  (value: unknown): Step<unknown> =>
  () =>
    Effect.succeed(new Ended({ value }))

/**
 * Fails the job with a typed error.
 *
 * @since 0.1.0
 * @category steps
 */
export const fail =
  (error: unknown): Step<unknown> =>
  () =>
    Effect.fail(error)

/**
 * Fails the job with a defect.
 *
 * @since 0.1.0
 * @category steps
 */
export const die =
  (defect: unknown): Step<unknown> =>
  () =>
    Effect.die(defect)

/**
 * Lets the orchestrator interrupt itself.
 *
 * @since 0.1.0
 * @category steps
 */
export const interrupt: Step<unknown> = () => Effect.interrupt

/**
 * Runs steps one after another, taking the next from `next` until one of them ends the job.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <Job>(next: Effect.Effect<Step<Job>>, job: Job): Effect.Effect<unknown, unknown, Scope.Scope> =>
  Effect.flatMap(
    Effect.flatMap(next, (step) => step(job)),
    (ended) => (ended instanceof Ended ? Effect.succeed(ended.value) : run(next, job))
  )
