/**
 * For tests of applications: a job manager on a store in memory, whose orchestrator does what the test tells it. Together
 * with `TestClock` a day passes in milliseconds.
 *
 * @since 0.1.0
 */
import { Layer } from "effect"
import * as JobManager from "../manager/JobManager.js"
import * as RunStore from "../store/RunStore.js"
import * as ScriptedOrchestrator from "./ScriptedOrchestrator.js"
import * as Step from "./Step.js"

export { ScriptedOrchestrator, Step }

/**
 * A `JobManager`, its `RunStore` in memory, and the `ScriptedOrchestrator` that commands its jobs.
 *
 * @since 0.1.0
 * @example
 * import { JobManager } from "charlotte"
 * import { layer, ScriptedOrchestrator, Step } from "charlotte/testing"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const manager = yield* JobManager.JobManager
 *   const orchestrator = yield* ScriptedOrchestrator.ScriptedOrchestrator
 *   const id = yield* manager.start({ repoPath: "/repo", tasksDir: "tasks", targetBranch: "main" })
 *   yield* orchestrator.send(id, Step.emit({ type: "half.done" }), Step.succeed(42))
 *   const run = yield* manager.await(id)
 *   assert.equal(run.result, 42)
 * }).pipe(Effect.provide(layer()))
 *
 * await Effect.runPromise(program)
 */
export const layer = (
  options: ScriptedOrchestrator.Options & JobManager.LayerOptions = {}
): Layer.Layer<JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator> =>
  JobManager.layer(options).pipe(
    Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer(options))),
    // A store in memory cannot fail, and nobody else owns it.
    Layer.orDie
  )
