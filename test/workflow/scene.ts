/**
 * An engine of workflows on a store that outlives it, workflows for it, and what their executions come to.
 */
import { Activity, DurableDeferred, Workflow, type WorkflowEngine } from "@effect/workflow"
import { type JobId, type RunStatus, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Effect, Exit, Layer, Option, Schema } from "effect"
import { poll } from "../../src/internal/RealClock.js"

/** An engine with these workflows, for as long as the effect runs. */
export const withEngine =
  (workflows: Layer.Layer<never, never, WorkflowEngine.WorkflowEngine>, options: Workflows.Options = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.provideMerge(workflows, Workflows.layer(options)))

export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

export const idempotencyKey = ({ id }: { readonly id: string }) => id
export const payload = { id: Schema.String }

export const Waiting = Workflow.make({
  name: "Waiting",
  payload,
  success: Schema.String,
  error: Refused,
  idempotencyKey
})

export const Paid = DurableDeferred.make("paid", { success: Schema.String, error: Refused })

export const pay = (
  workflow: Workflow.Any,
  executionId: string,
  exit: Exit.Exit<string, Refused> = Exit.succeed("cash")
) => DurableDeferred.done(Paid, { token: DurableDeferred.tokenFromExecutionId(Paid, { workflow, executionId }), exit })

/** An activity that notes its runs. */
export const noting = (notes: Array<string>, name: string) =>
  Activity.make({ name, execute: Effect.sync(() => void notes.push(name)) })

/** Reserves, which it undoes, then does something slow, if there is such a thing, awaits the payment, and ships. */
export const compensating = (
  notes: Array<string>,
  then: Effect.Effect<string, Refused, never> | undefined = undefined
) =>
  Waiting.toLayer(() =>
    Effect.gen(function* () {
      yield* noting(notes, "reserve").pipe(Waiting.withCompensation(() => noting(notes, "release")))
      if (then !== undefined) {
        yield* Activity.make({ name: "slow", success: Schema.String, error: Refused, execute: then })
      }
      const paid = yield* DurableDeferred.await(Paid)
      yield* noting(notes, "ship")
      return paid
    })
  )

/** The run of an execution. */
export const runOf = (workflow: Workflow.Any, executionId: string) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const [run] = yield* store.list({ kind: `workflow.${workflow.name}`, labels: { execution: executionId } })
    return Option.fromNullable(run)
  }).pipe(Effect.orDie)

/** Waits until the run of an execution is in one of the statuses, and waits for something else than a permit; returns it. */
export const reaches = (workflow: Workflow.Any, executionId: string, ...statuses: ReadonlyArray<RunStatus.RunStatus>) =>
  Effect.map(
    poll(runOf(workflow, executionId), {
      until: Option.exists(({ status, waitsFor }) => statuses.includes(status) && waitsFor !== "permit"),
      pause: 2,
      atMost: "2 minutes"
    }),
    Option.getOrThrow
  )

/** The names of the steps of a run, a failed one with an exclamation mark. */
export const stepsOf = (id: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(Effect.orDie(store.steps.recall(id)), (steps) => steps.map(({ name, ok }) => (ok ? name : `${name}!`)))
  )
