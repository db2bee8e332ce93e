/**
 * A job manager for the tests of applications, in memory. Together with `TestClock` a day passes in milliseconds.
 *
 * @since 0.2.0
 */
import { Layer } from "effect"
import * as JobManager from "../manager/JobManager.js"
import * as RunStore from "../store/RunStore.js"
import * as ScriptedOrchestrator from "./ScriptedOrchestrator.js"

/**
 * Options of `TestManager.layer`: those of `JobManager.layer`, and the script of the jobs.
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
