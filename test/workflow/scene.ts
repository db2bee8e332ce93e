/**
 * An engine of workflows on a store that outlives it, and what its executions come to.
 */
import type { Workflow, WorkflowEngine } from "@effect/workflow"
import { Database, type JobId, type RunStatus, RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Effect, Layer, Option } from "effect"
import { poll } from "../../src/internal/RealClock.js"

/** An engine with these workflows, for as long as the effect runs. */
export const withEngine =
  (workflows: Layer.Layer<never, never, WorkflowEngine.WorkflowEngine>, options: Workflows.Options = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.provideMerge(workflows, Workflows.layer(options)))

export const stores = {
  "in memory": RunStore.layerMemory,
  "on SQLite": RunStore.layer.pipe(Layer.provide(Database.layer({ filename: ":memory:" })), Layer.orDie)
}

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
