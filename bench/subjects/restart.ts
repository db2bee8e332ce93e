/**
 * A new process on a database with suspended executions: its processor time until it has done one more execution.
 */
import { Workflows } from "charlotte/workflow"
import { Effect, Layer } from "effect"
import { report } from "../harness/Subject.js"
import { store } from "./manager.js"
import { answer, Waiting, WaitingLayer } from "./waiting.js"

const program = Effect.gen(function* () {
  const payload = { id: `another ${process.pid}` }
  yield* answer(yield* Waiting.executionId(payload))
  yield* Waiting.execute(payload)
  const { system, user } = process.cpuUsage()
  report({ cpuMillis: (system + user) / 1_000 })
})

await Effect.runPromise(
  Effect.provide(program, WaitingLayer.pipe(Layer.provideMerge(Workflows.layer({ maxJobs: 10 })), Layer.provide(store)))
)
