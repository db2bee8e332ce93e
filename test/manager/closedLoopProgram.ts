/**
 * The closed loop of 10 callers in a separate process. Arguments: a database file, and the number of jobs that are counted. It prints a line
 * before and after them.
 */
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { writeSync } from "node:fs"
import { closedLoop, Plain, toItsEnd, withoutTime } from "./closedLoop.js"

const [filename = "", jobs = ""] = process.argv.slice(2)

const print = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))

const program = Effect.gen(function* () {
  yield* closedLoop(10, 100, toItsEnd)
  yield* print("counted from here")
  yield* closedLoop(10, Number(jobs), toItsEnd)
  yield* print("counted to here")
})

const layer = Plain.layer({ run: () => Effect.void }).pipe(
  Layer.provide(RunStore.layer),
  Layer.provide(Database.layer({ filename }))
)

await Effect.runPromise(withoutTime(Effect.provide(program, layer)))
