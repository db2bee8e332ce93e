/**
 * A program that manages a job of every stubborn process at once, and is meant to be killed. Its argument is a directory:
 * the database is there, and a directory for each process.
 */
import { Effect, Layer, Schema } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Database, JobManager, RunStore } from "charlotte"
import { ProcessRunner } from "charlotte/tasks"
import { kind, script, stubborn } from "./workshop.js"

const home = process.argv[2] ?? "."

const program = Effect.gen(function* () {
  const runner = yield* ProcessRunner.ProcessRunner
  const manager = yield* JobManager.make({
    kind,
    config: Schema.Struct({}),
    orchestrator: {
      run: (job) =>
        Effect.forEach(
          Object.values(stubborn),
          (text, index) => {
            const directory = join(home, String(index))
            mkdirSync(directory)
            return runner.run({ ...script(directory, text), jobId: job.id, attempt: job.attempt })
          },
          { concurrency: "unbounded" }
        )
    }
  })
  yield* manager.start({})
  yield* Effect.sync(() => process.stdout.write("starting\n"))
  return yield* Effect.never
}).pipe(Effect.scoped)

const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: join(home, "runs.db") })))

Effect.runFork(program.pipe(Effect.provide(ProcessRunner.layer.pipe(Layer.provideMerge(Store)))))
