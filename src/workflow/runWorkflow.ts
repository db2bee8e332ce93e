/**
 * Runs an attempt of a workflow. Its exit is the step `exit`, in which all the rest happens: once it is recorded, nothing runs again.
 *
 * An attempt that the end of its manager interrupts is suspended, so that nothing is compensated. One that is stopped is interrupted, and
 * compensates.
 */
import * as Workflow from "@effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "@effect/workflow/WorkflowEngine"
import { Cause, Effect, Exit, Fiber, FiberId, Option, Schema, Scope } from "effect"
import { resumeSignal } from "../domain/Run.js"
import { workflowKind } from "../domain/workflowKind.js"
import { interruptor, render } from "../manager/internal/JobOutcome.js"
import type { AnyJob } from "../manager/Orchestrator.js"
import type { Service } from "../store/port/RunStoreService.js"
import * as Attempt from "./Attempt.js"
import { CauseOf } from "./exits.js"

/** The function of a workflow, with the services of its registration. */
export type Execute = (
  payload: object,
  executionId: string
) => Effect.Effect<unknown, unknown, WorkflowInstance | WorkflowEngine>

export const exitStep = "exit"

/** The schemas of the recorded exit of a workflow. */
export const exitSchemas = ({ errorSchema, successSchema }: Workflow.Any) => ({
  success: Schema.asSchema(successSchema),
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: of any workflow, `All` includes `Never`
  error: CauseOf(errorSchema as Schema.Schema<unknown, unknown, unknown>)
})

export const runWorkflow = ({
  engine,
  execute,
  job,
  store: { decisions, now },
  workflow
}: {
  readonly store: Pick<Service, "decisions" | "now">
  readonly engine: WorkflowEngine["Type"]
  readonly execute: Execute
  readonly job: AnyJob<unknown>
  readonly workflow: Workflow.Any
}): Effect.Effect<unknown, unknown> =>
  Effect.gen(function* () {
    const executionId = yield* Effect.orDie(executionOf(job.submission))
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the payload of a workflow is a struct
    const payload = job.config as object
    let isInterrupted = false
    const execution = { kind: workflowKind(workflow.name), key: executionId }
    const attempt = Attempt.make({ decisions, execution, job, isInterrupted: () => isInterrupted, now })
    const instance = WorkflowInstance.initial(workflow, executionId)
    instance.interrupted = yield* job.stopping
    const end: { suspended: Workflow.Suspended | undefined; isClosing: boolean } = {
      suspended: undefined,
      isClosing: false
    }

    const afterBody = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
      Effect.gen(function* () {
        attempt.inBody = false
        if (yield* job.stopping) instance.interrupted = true
        if (instance.interrupted) {
          instance.suspended = false
          // A stop cancels the job, whatever its body comes to.
          if (Exit.isSuccess(exit)) return yield* Effect.interrupt
        } else if (isInterrupted && Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)) {
          end.isClosing = !instance.suspended
          instance.suspended = true
        }
      })

    let bodyFiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
    const body = Effect.withFiberRuntime<unknown, unknown, WorkflowInstance | WorkflowEngine>((fiber) => {
      bodyFiber = fiber
      return isInterrupted ? Effect.interrupt : execute(payload, executionId)
    }).pipe(
      Effect.onExit(afterBody),
      Workflow.intoResult,
      Effect.flatMap((result): Effect.Effect<unknown, Cause.Cause<unknown>> => {
        if (result._tag === "Complete") return Effect.sandbox(result.exit)
        end.suspended = result
        return Effect.interrupt
      }),
      Effect.provideService(WorkflowInstance, instance),
      Effect.provideService(WorkflowEngine, engine),
      Effect.provideService(Attempt.CurrentAttempt, attempt)
    )

    /** Compensates for a suspended workflow that is stopped before it has parked. */
    const compensate = Effect.gen(function* () {
      instance.interrupted = true
      const cause = Cause.interrupt(FiberId.none)
      yield* Scope.close(instance.scope, Exit.failCause(cause))
      yield* Effect.exit(recorded(job, workflow, Effect.fail(cause)))
    })

    const worker = yield* Effect.forkDaemon(recorded(job, workflow, body))
    const exit = yield* Effect.catchAllCause(Effect.interruptible(Fiber.await(worker)), () => {
      isInterrupted = true
      const interrupt = bodyFiber === undefined ? Effect.void : Fiber.interruptAsFork(bodyFiber, interruptor)
      return Effect.zipRight(interrupt, Fiber.await(worker))
    })
    const { isClosing, suspended } = end
    if (suspended !== undefined) {
      if (isClosing) return yield* Effect.interruptible(Effect.never)
      if (yield* job.stopping) return yield* Effect.zipRight(apart(compensate), job.cancel)
      const parking =
        suspended.cause === undefined
          ? attempt.parking()
          : { reason: `suspended on failure: ${render(suspended.cause)}`, signal: resumeSignal }
      return yield* Effect.onInterrupt(job.park(parking), () => Effect.whenEffect(apart(compensate), job.stopping))
    }
    if (Exit.isSuccess(exit)) return exit.value
    const cause = Option.getOrUndefined(Cause.failureOption(exit.cause))
    if (cause === undefined) return yield* Effect.failCause(exit.cause)
    return yield* Cause.isInterruptedOnly(cause) ? job.cancel : Effect.failCause(cause)
  }).pipe(Effect.uninterruptible)

/**
 * Runs an effect to its end in a fiber that the manager does not interrupt: the activities of a compensation are interruptible, and in
 * the fiber of a job that is stopped they would not begin.
 */
const apart = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDaemon(effect), Fiber.join)

/** Records the exit of a workflow, unless it is recorded already. */
const recorded = (job: AnyJob<unknown>, workflow: Workflow.Any, body: Effect.Effect<unknown, Cause.Cause<unknown>>) =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the fiber has the services of the schemas of its workflow
  job.step(exitStep, body, exitSchemas(workflow)) as Effect.Effect<unknown, Cause.Cause<unknown>>

const Submission = Schema.Struct({ execution: Schema.String })

const decodeSubmission = Schema.decodeUnknown(Submission)

/** The submission of an execution, as JSON text. */
export const submissionOf = (execution: string): string => JSON.stringify({ execution })

const executionOf = (submission: unknown) => Effect.map(decodeSubmission(submission), ({ execution }) => execution)
