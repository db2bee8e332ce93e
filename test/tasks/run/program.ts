/**
 * The process to kill: a manager of task jobs in the sandbox whose path is the first argument. It resumes the jobs in the
 * database, or starts the job of the second argument, and ends on SIGTERM. Jobs that park are resumed, as by a person.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { JobManager } from "charlotte"
import { Duration, Effect, Layer, Logger } from "effect"
import { writeSync } from "node:fs"
import { charlotte } from "../Composition.js"
import { configured } from "./Metered.js"
import { resolver } from "./Resolver.js"
import { resumeParked, writer } from "./Writer.js"

const [root = "", job] = process.argv.slice(2)

/** A test may put stand-ins for other programs there. */
const stands = `${root}/forge/bin`

const variables = { PATH: `${stands}:${process.env["PATH"] ?? ""}`, HOME: `${root}/home` }

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
  {
    env: ["WITNESS"],
    around: { ...variables, WITNESS: `${root}/witness` },
    profiles: [writer(root), resolver({ root }), ...configured(root)]
  }
)

const log = Logger.replace(
  Logger.defaultLogger,
  Logger.stringLogger.pipe(Logger.map((line) => void writeSync(2, `${line}\n`)))
)

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  if (job !== undefined) yield* manager.start(JSON.parse(job))
  return yield* resumeParked
}).pipe(Effect.provide(Layer.provideMerge(layer, log)))

NodeRuntime.runMain(program, { disablePrettyLogger: true })
