/**
 * The process to kill: a manager of task jobs in the sandbox whose path is the first argument. It resumes the jobs in the
 * database, or starts the job of the second argument.
 */
import { JobManager } from "charlotte"
import { Duration, Effect, Layer, Logger } from "effect"
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
      // Leftovers of a kill here are of no interest.
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
  if (job !== undefined) yield* manager.start(JSON.parse(job))
  return yield* Effect.never
}).pipe(Effect.provide(Layer.provideMerge(layer, log)))

Effect.runFork(program)
