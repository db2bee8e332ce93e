import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import { Console, Effect, Layer, Stream } from "effect"

// What a job does: any Effect. It is interrupted to stop it, and its scope is closed before the stop returns.
const Counting = Orchestrator.layer((job) =>
  Effect.forEach([1, 2, 3], (n) => Effect.delay(job.emit({ type: "counted", payload: n }), "100 millis")).pipe(
    Effect.as("counted to three")
  )
)

const Jobs = JobManager.layer({ maxJobs: 2 }).pipe(
  Layer.provide([Counting, RunStore.layer]),
  Layer.provide(Database.layer({ filename: process.argv[2] ?? ":memory:" }))
)

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const id = yield* manager.start({ repoPath: "/any/repository", tasksDir: "tasks", targetBranch: "main" })
  yield* Stream.runForEach(manager.events(id), ({ payload, seq, type }) => Console.log(seq, type, payload ?? ""))
  const run = yield* manager.await(id)
  yield* Console.log(`job ${run.status}: ${run.result}`)
})

await Effect.runPromise(Effect.provide(program, Jobs))
