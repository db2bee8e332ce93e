/**
 * A job of tasks whose agent and gate are `true`, as an application composes it.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { JobManager } from "charlotte"
import { Agents, Git, ProcessRunner, TaskOrchestrator } from "charlotte/tasks"
import { Effect, Layer } from "effect"
import { number, report, stopwatch, text } from "../harness/Subject.js"
import { store } from "./manager.js"
import * as Plan from "./plan.js"

const root = text("root")
const agent = new Agents.Profile({ name: "true", command: ["true"], prompt: "stdin", env: [] })

const layer = JobManager.layer().pipe(
  Layer.provide(TaskOrchestrator.layer({ directory: `${root}/charlotte` })),
  Layer.provideMerge(
    Layer.mergeAll(
      Git.layer,
      ProcessRunner.layer,
      Agents.layer({ profiles: [agent], gates: { env: [] }, file: `${root}/config.yaml` })
    )
  ),
  Layer.provideMerge(store),
  Layer.provide(NodeContext.layer)
)

const repository = Plan.make(root, number("units"), number("tasks"))

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const read = stopwatch()
  const id = yield* manager.start({
    repoPath: repository,
    tasksDir: "tasks",
    targetBranch: "main",
    agent: "true",
    concurrency: number("concurrency")
  })
  const run = yield* manager.await(id)
  if (run.status !== "completed") throw new Error(JSON.stringify(run.error))
  report(read(number("units") * number("tasks")))
})

await Effect.runPromise(Effect.provide(program, layer))
