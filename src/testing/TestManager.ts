/**
 * A job manager for the tests of applications, in memory. Together with `TestClock` a day passes in milliseconds.
 *
 * @since 0.2.0
 */
import { Layer, type Schema } from "effect"
import type * as JobKind from "../manager/JobKind.js"
import * as JobManager from "../manager/JobManager.js"
import type { Runs } from "../store/Runs.js"
import * as RunStore from "../store/RunStore.js"
import * as ScriptedOrchestrator from "./ScriptedOrchestrator.js"

/**
 * Options of `TestManager.layer`: the options of `JobManager.layer`, and the script of the jobs.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options extends ScriptedOrchestrator.Options, JobManager.LayerOptions {}

/**
 * A `JobManager`, its `RunStore` in memory, and the `ScriptedOrchestrator` that controls its jobs.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { JobManager } from "charlotte"
 * import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const manager = yield* JobManager.JobManager
 *   const orchestrator = yield* ScriptedOrchestrator.ScriptedOrchestrator
 *   const id = yield* manager.start({ repoPath: "/repo", tasksDir: "tasks", targetBranch: "main" })
 *   yield* orchestrator.send(id, Step.emit({ type: "half.done" }), Step.succeed(42))
 *   const run = yield* manager.await(id)
 *   assert.equal(run.result, 42)
 * }).pipe(Effect.provide(TestManager.layer()))
 *
 * await Effect.runPromise(program)
 */
export const layer = (
  options: Options = {}
): Layer.Layer<JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator> =>
  JobManager.layer(options).pipe(
    Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer(options))),
    // A store in memory does not fail, and no other manager owns it.
    Layer.orDie
  )

/**
 * The manager of a kind of job, its `RunStore` in memory, and the `ScriptedOrchestrator` that controls its jobs. Layers of several
 * kinds that are built together share the store and the orchestrator.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { JobKind } from "charlotte"
 * import { Step, TestManager } from "charlotte/testing"
 * import { Effect, Schema } from "effect"
 *
 * class Email extends JobKind.Tag<Email>()("email", {
 *   config: Schema.Struct({ to: Schema.String }),
 *   success: Schema.Struct({ messageId: Schema.String })
 * }) {}
 *
 * const program = Effect.gen(function* () {
 *   const emails = yield* Email
 *   const run = yield* emails.await(yield* emails.start({ to: "ada@example.com" }))
 *   if (run.status === "completed") assert.equal(run.result.messageId, "m1")
 * }).pipe(Effect.provide(TestManager.layerOf(Email, { script: () => [Step.succeed({ messageId: "m1" })] })))
 *
 * await Effect.runPromise(program)
 */
export const layerOf = <
  Self,
  Name extends string,
  C extends Schema.Schema.All,
  S extends Schema.Schema.All,
  E extends Schema.Schema.All,
  Ev extends JobKind.Schemas | undefined,
  Si extends JobKind.Schemas | undefined,
  Defined extends "key" | "labels"
>(
  kind: JobKind.TagClass<Self, Name, C, S, E, Ev, Si, Defined>,
  options: ScriptedOrchestrator.KindOptions<JobKind.Definition<Name, C, S, E, Ev, Si>> = {}
): Layer.Layer<
  Self | JobKind.Producer<Self> | RunStore.RunStore | Runs | ScriptedOrchestrator.ScriptedOrchestrator,
  never,
  JobKind.Requirements<JobKind.Definition<Name, C, S, E, Ev, Si>>
> => ScriptedOrchestrator.layerOf(kind, options).pipe(Layer.provideMerge(RunStore.layerMemory), Layer.orDie)
