/**
 * The engine of `@effect/workflow` on a run store: each workflow is a kind of job, so that it is listed, shown, stopped and pruned like
 * other jobs. It needs the optional package `@effect/workflow`.
 *
 * @since 0.2.0
 */
import type * as Workflow from "@effect/workflow/Workflow"
import { WorkflowEngine } from "@effect/workflow/WorkflowEngine"
import { Effect, Layer } from "effect"
import type { StopError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { StopReport } from "../domain/StopReport.js"
import type { RunStore } from "../store/RunStore.js"
import * as Engine from "./Engine.js"
import type { Kind } from "./kind.js"
import * as Kinds from "./kind.js"

/**
 * Options of the engine.
 *
 * @since 0.2.0
 * @category options
 */
export type Options = Engine.Options

export type { Kind } from "./kind.js"

/**
 * The engine of workflows. The manager of a workflow lives as long as its registration (`toLayer`); if another live process manages
 * that workflow on the database, the registration dies with `AlreadyManaged`, which names the process.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { Activity, Workflow } from "@effect/workflow"
 * import { RunStore } from "charlotte"
 * import { Workflows } from "charlotte/workflow"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Greeting = Workflow.make({
 *   name: "Greeting",
 *   payload: { to: Schema.String },
 *   success: Schema.String,
 *   idempotencyKey: ({ to }) => to
 * })
 *
 * const GreetingLayer = Greeting.toLayer(({ to }) =>
 *   Activity.make({ name: "greet", success: Schema.String, execute: Effect.succeed(`hello ${to}`) })
 * )
 *
 * const engine = Workflows.layer({ maxJobs: 2 }).pipe(Layer.provide(RunStore.layerMemory))
 *
 * const program = Effect.map(Greeting.execute({ to: "Ada" }), (text) => assert.equal(text, "hello Ada"))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(Layer.provideMerge(GreetingLayer, engine))))
 */
export const layer = (options: Options = {}): Layer.Layer<WorkflowEngine, never, RunStore> =>
  Layer.scoped(WorkflowEngine, Engine.make(options))

/**
 * The kind of job of a workflow, `workflow.` and its name: for the API, the client, and `JobKind.decodeRun`.
 *
 * @since 0.2.0
 * @category kinds
 */
export const kind: <W extends Workflow.Any>(workflow: W) => Kind<W> = Kinds.kind

/**
 * Stops the execution of a workflow that is registered here: its compensation runs, and it is cancelled. Fails with `JobNotFound` for
 * another job.
 *
 * @since 0.2.0
 * @category stopping
 */
export const stop = (jobId: JobId): Effect.Effect<StopReport, StopError, WorkflowEngine> =>
  Effect.flatMap(WorkflowEngine, (engine) => Engine.stop(engine, jobId))
