/**
 * A program that runs every stubborn process at once and is meant to be killed. Its argument is a directory: the database is
 * there, and a directory for each process.
 */
import { DateTime, Effect, Layer } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Database from "../../../src/store/Database.js"
import * as RunStore from "../../../src/store/RunStore.js"
import * as ProcessRunner from "../../../src/tasks/ProcessRunner.js"
import { jobId, script, stubborn } from "./workshop.js"

const home = process.argv[2] ?? "."

const program = Effect.gen(function* () {
  const runner = yield* ProcessRunner.ProcessRunner
  const store = yield* RunStore.RunStore
  yield* store.create({ id: jobId, kind: "test", key: undefined, config: {}, labels: {}, at: yield* DateTime.now })
  yield* Effect.sync(() => process.stdout.write("starting\n"))
  yield* Effect.forEach(
    Object.values(stubborn),
    (text, index) => {
      const directory = join(home, String(index))
      mkdirSync(directory)
      return runner.run(script(directory, text))
    },
    { concurrency: "unbounded" }
  )
})

const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: join(home, "runs.db") })))

Effect.runFork(program.pipe(Effect.provide(ProcessRunner.layer.pipe(Layer.provideMerge(Store)))))
