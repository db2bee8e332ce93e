/**
 * What a scripted orchestrator does, step by step.
 *
 * @since 0.1.0
 */
import { Data, type Duration, Effect, type Scope } from "effect"
import type { EmittedEvent } from "../domain/JobEvent.js"
import type { JobConfig } from "../domain/JobConfig.js"
import type { KilledProcess } from "../domain/StopReport.js"
import type { JobContext } from "../manager/Orchestrator.js"

/**
 * One step. It goes on to the next with nothing, or ends the job with a success value.
 *
 * @since 0.1.0
 * @category models
 */
export type Step = (job: JobContext<JobConfig>) => Effect.Effect<void | Ended, unknown, Scope.Scope>

class Ended extends Data.Class<{ readonly value: unknown }> {}

/**
 * Emits an event.
 *
 * @since 0.1.0
 * @category steps
 */
export const emit =
  (event: EmittedEvent): Step =>
  (job) =>
    job.emit(event)

/**
 * Waits, on the `Clock`; a stop interrupts it.
 *
 * @since 0.1.0
 * @category steps
 */
export const wait =
  (duration: Duration.DurationInput): Step =>
  () =>
    Effect.sleep(duration)

/**
 * Cannot be interrupted for so long.
 *
 * @since 0.1.0
 * @category steps
 */
export const ignoreInterruption =
  (duration: Duration.DurationInput): Step =>
  () =>
    Effect.uninterruptible(Effect.sleep(duration))

/**
 * From here on, takes so long to clean up when it ends.
 *
 * @since 0.1.0
 * @category steps
 */
export const cleanUp =
  (duration: Duration.DurationInput): Step =>
  () =>
    Effect.addFinalizer(() => Effect.sleep(duration))

/**
 * From here on, dies while it cleans up.
 *
 * @since 0.1.0
 * @category steps
 */
export const dieCleaningUp =
  (defect: unknown): Step =>
  () =>
    Effect.addFinalizer(() => Effect.die(defect))

/**
 * Says that something had to be killed.
 *
 * @since 0.1.0
 * @category steps
 */
export const forced: Step = (job) => job.forced

/**
 * Says which processes had to be killed.
 *
 * @since 0.2.0
 * @category steps
 */
export const killed =
  (processes: ReadonlyArray<KilledProcess>): Step =>
  (job) =>
    job.killed(processes)

/**
 * Returns when all that was emitted is committed.
 *
 * @since 0.1.0
 * @category steps
 */
export const flush: Step = (job) => job.flush

/**
 * Completes the job.
 *
 * @since 0.1.0
 * @category steps
 */
export const succeed =
  (value: unknown): Step =>
  () =>
    Effect.succeed(new Ended({ value }))

/**
 * Fails the job with a typed error.
 *
 * @since 0.1.0
 * @category steps
 */
export const fail =
  (error: unknown): Step =>
  () =>
    Effect.fail(error)

/**
 * Fails the job with a defect.
 *
 * @since 0.1.0
 * @category steps
 */
export const die =
  (defect: unknown): Step =>
  () =>
    Effect.die(defect)

/**
 * The orchestrator interrupts itself.
 *
 * @since 0.1.0
 * @category steps
 */
export const interrupt: Step = () => Effect.interrupt

/**
 * Runs steps one after another, taking the next from `next` until one of them ends the job.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (
  next: Effect.Effect<Step>,
  job: JobContext<JobConfig>
): Effect.Effect<unknown, unknown, Scope.Scope> =>
  Effect.flatMap(
    Effect.flatMap(next, (step) => step(job)),
    (ended) => (ended instanceof Ended ? Effect.succeed(ended.value) : run(next, job))
  )
