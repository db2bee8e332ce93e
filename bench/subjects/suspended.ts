/**
 * Very many executions that are suspended, and the memory of each. Needs `--expose-gc`.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import type { WorkflowEngine } from "@effect/workflow"
import { Workflows } from "charlotte/workflow"
import { Effect, Layer, Schedule } from "effect"
import { number, report } from "../harness/Subject.js"
import { heap } from "./heap.js"
import { store } from "./manager.js"
import { Waiting, WaitingLayer } from "./waiting.js"

/** A first round allocates what is allocated only once, such as compiled code. */
const first = Math.min(1_000, number("executions"))

const parked = Effect.flatMap(
  SqlClient,
  (sql) => sql<{ n: number }>`SELECT count(*) AS n FROM charlotte_runs WHERE status = 'parked'`
)

const suspend = (from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, n) => from + n),
    (n) => Waiting.execute({ id: `${n}` }, { discard: true }),
    { concurrency: 100, discard: true }
  ).pipe(
    Effect.zipRight(Effect.repeat(parked, { until: ([row]) => row?.n === to, schedule: Schedule.spaced("20 millis") }))
  )

const program = Effect.gen(function* () {
  const executions = number("executions")
  yield* suspend(0, first)
  const before = yield* heap
  yield* suspend(first, executions)
  const after = yield* heap
  report({ kilobytes: (after - before) / Math.max(1, executions - first) / 1_000 })
})

const engine: Layer.Layer<WorkflowEngine.WorkflowEngine | SqlClient, unknown> = Workflows.layer({ maxJobs: 10 }).pipe(
  Layer.provideMerge(store)
)

await Effect.runPromise(Effect.provide(program, Layer.provideMerge(WaitingLayer, engine)))
