/**
 * Executions of many activities that do nothing: on `charlotte/workflow`, or on the engine of @effect/cluster, as its documentation sets it
 * up for one node, on a database with the same settings. `steps` is the same as jobs with steps, without a workflow.
 */
import { ClusterWorkflowEngine, SingleRunner } from "@effect/cluster"
import { Activity, Workflow, type WorkflowEngine } from "@effect/workflow"
import { JobKind } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Effect, Layer, Logger, Schema } from "effect"
import { number, report, stopwatch, text } from "../harness/Subject.js"
import { database, store } from "./manager.js"

const activities = number("activities")
const callers = number("callers")

const numbers = Array.from({ length: activities }, (_, n) => n)

const Long = Workflow.make({
  name: "Long",
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id
})

const LongLayer = Long.toLayer(() =>
  Effect.forEach(numbers, (n) => Activity.make({ name: `activity ${n}`, execute: Effect.void }), { discard: true })
)

class Steps extends JobKind.Tag<Steps>()("steps", { config: Schema.Struct({}) }) {}

const StepsLayer = Steps.layer({
  maxJobs: callers,
  run: ({ step }) => Effect.forEach(numbers, (n) => step(`step ${n}`, Effect.void), { discard: true })
})

let executions = 0

const execute = Effect.suspend(() => Long.execute({ id: `${++executions}` }))

/** Each caller executes one after the other for so long, or so many. Returns the number of activities. */
const all = <E, R>(one: Effect.Effect<unknown, E, R>, { millis = 0, times = 0 }) =>
  Effect.suspend(() => {
    const until = performance.now() + millis
    const loop = Effect.gen(function* () {
      let count = 0
      while (count < times || performance.now() < until) {
        yield* one
        count += 1
      }
      return count * activities
    })
    return Effect.map(
      Effect.forEach(Array.from({ length: callers }), () => loop, { concurrency: "unbounded" }),
      (counts) => counts.reduce((sum, count) => sum + count, 0)
    )
  })

const measured = <E, R>(one: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    if (number("times") >= 0) return report({ count: yield* all(one, { times: number("times") }) })
    yield* all(one, { millis: number("warmUp") })
    const read = stopwatch()
    report(read(yield* all(one, { millis: number("millis") })))
  })

const onCharlotte = Workflows.layer({ maxJobs: callers }).pipe(Layer.provide(store))

const onCluster = ClusterWorkflowEngine.layer.pipe(
  Layer.provide(SingleRunner.layer({ runnerStorage: "memory" })),
  Layer.provide(database)
)

/** Standard output is for figures. */
const logsOnStderr = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

const executing = <E>(engine: Layer.Layer<WorkflowEngine.WorkflowEngine, E>) =>
  Effect.provide(measured(execute), Layer.provideMerge(LongLayer, engine))

const stepping = measured(Effect.flatMap(Steps, (manager) => Effect.flatMap(manager.start({}), manager.await))).pipe(
  Effect.provide(Layer.provide(StepsLayer, store))
)

const programs: { readonly [what: string]: Effect.Effect<void, unknown> } = {
  charlotte: executing(onCharlotte),
  cluster: executing(onCluster),
  steps: stepping
}

const program = programs[text("what")] ?? Effect.dieMessage(`there is no ${text("what")}`)

await Effect.runPromise(Effect.provide(program, logsOnStderr))
process.exit(0)
