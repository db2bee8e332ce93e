/**
 * The process that is killed: a manager on a database file, jobs, and whoever uses it.
 * Its arguments: the file, how many jobs may run, a seed, and `use`, or `finish` to stop all jobs and end.
 */
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Fiber, Layer, Logger, Random } from "effect"
import { writeSync } from "node:fs"
import { performance } from "node:perf_hooks"
import * as Driver from "./Driver.js"
import { encode } from "./Report.js"
import { orchestrator, type Tell } from "./Workload.js"

const [filename = "", maxJobs = "", seed = "", errand = ""] = process.argv.slice(2)

/** Past every buffer of the process: what it has told, its parent knows. */
const tell: Tell = (report) => Effect.sync(() => void writeSync(1, `${encode(report)}\n`))

/** Runs that should go on and do not, or are recorded as running and do not. */
const left = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const store = yield* RunStore.RunStore
  const interrupted = yield* store.list({ status: "interrupted", limit: 1_000 })
  const running = yield* store.list({ status: "running", limit: 1_000 })
  const active = yield* manager.list
  const keys = new Set(running.flatMap(({ labels: { key } }) => (key === undefined ? [] : [key])))
  const waiting = interrupted.filter(
    ({ labels: { key } }) => active.length < Number(maxJobs) && (key === undefined || !keys.has(key))
  )
  return [...waiting, ...running.filter(({ id }) => !active.includes(id))].map(({ id, status }) => `${id} ${status}`)
})

/** Not in one look, for jobs come and go between its questions. */
const recovered = left.pipe(
  Effect.tap(() => Effect.sleep(1)),
  Effect.repeat({ until: (left) => left.length === 0, times: 2_000 }),
  Effect.flatMap((left) =>
    left.length === 0
      ? tell({ _tag: "Recovered" })
      : tell({ _tag: "Violation", message: `stuck after the restart: ${left.join(", ")}` })
  )
)

const finish = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const reports = yield* manager.stopAll
  yield* Effect.forEach(reports, ({ jobId: id, status }) => tell({ _tag: "Ended", id, status }))
})

const program = Effect.gen(function* () {
  yield* tell({ _tag: "Ready", millis: performance.now() })
  yield* recovered
  yield* errand === "finish" ? finish : Driver.use(tell)
}).pipe(
  Effect.withRandom(Random.make(seed)),
  Effect.scoped,
  Effect.provide(
    JobManager.layer({ maxJobs: Number(maxJobs) }).pipe(
      Layer.provide(Layer.succeed(Orchestrator.Orchestrator, orchestrator(tell, Number(maxJobs)))),
      Layer.provideMerge(RunStore.layer),
      Layer.provide(Database.layer({ filename }))
    )
  )
)

const fiber = Effect.runFork(
  Effect.zipRight(tell({ _tag: "Opening" }), program).pipe(
    Effect.catchAll((error) => tell({ _tag: "Violation", message: error.message })),
    Effect.provide(
      Logger.replace(
        Logger.defaultLogger,
        Logger.stringLogger.pipe(Logger.map((line) => void writeSync(2, `${line}\n`)))
      )
    )
  )
)

process.once("SIGTERM", () => Effect.runFork(Fiber.interruptFork(fiber)))
