/**
 * The process that is killed: a manager of tasks in a sandbox, whose path is its argument. It goes on with what it finds in
 * the database, or starts the job that is its second argument, and tells when work on a job has begun.
 */
import { JobManager, RunStore } from "charlotte"
import { Duration, Effect, Layer, Logger, Stream } from "effect"
import { writeSync } from "node:fs"
import { charlotte } from "../Composition.js"

const [root = "", job] = process.argv.slice(2)

const variables = { PATH: process.env["PATH"] ?? "", HOME: `${root}/home` }

const layer = charlotte(
  {
    root,
    environment: {
      executable: `${root}/bin/git`,
      variables,
      // What a kill leaves here is nobody's.
      scratch: `${root}/killed`,
      patience: Duration.seconds(5),
      staleAfter: Duration.millis(200),
      limit: Duration.minutes(1)
    }
  },
  { env: ["WITNESS"], around: { ...variables, WITNESS: `${root}/witness` } }
)

const log = Logger.replace(
  Logger.defaultLogger,
  Logger.stringLogger.pipe(Logger.map((line) => void writeSync(2, `${line}\n`)))
)

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const store = yield* RunStore.RunStore
  if (job !== undefined) yield* manager.start(JSON.parse(job))
  const [run] = yield* store.list({ limit: 1 })
  if (run === undefined) return yield* Effect.dieMessage("there is no job")
  yield* Effect.sync(() => writeSync(1, "ready\n"))
  const attempt = run.status === "interrupted" ? run.attempt + 1 : run.attempt
  let begun = 0
  yield* Stream.runForEach(manager.events(run.id), ({ type }) =>
    Effect.sync(() => {
      if (type === "job.started" || type === "job.resumed") begun += 1
      if (begun === attempt && type === "orch.started") writeSync(1, "working\n")
    })
  )
  yield* Effect.sync(() => writeSync(1, "ended\n"))
  return yield* Effect.never
}).pipe(Effect.provide(Layer.provideMerge(layer, log)))

Effect.runFork(program)
