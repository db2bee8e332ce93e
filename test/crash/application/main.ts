/**
 * An application with a kind of job of its own, in one database with a table of its own, as a process that is killed.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Database, RunStore } from "charlotte"
import { Cause, Effect, Exit, Fiber, Layer, Random } from "effect"
import { existsSync } from "node:fs"
import { performance } from "node:perf_hooks"
import * as victim from "../victim.js"
import * as Effort from "./Effort.js"
import * as Use from "./Use.js"
import * as Work from "./Work.js"

const directory = process.env["APPLICATION"] ?? ""
const mayEnd = `${directory}/go`

const layer = Layer.merge(Work.layer(mayEnd), Effort.layer).pipe(
  Layer.provideMerge(RunStore.layer),
  Layer.provideMerge(Database.layer({ filename: `${directory}/charlotte.db` })),
  Layer.provideMerge(victim.layer)
)

const program = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, job TEXT NOT NULL)`
  victim.tell(`ready ${performance.now()}`)
  yield* existsSync(mayEnd) ? Use.finish : Use.use
})

const seed = `${process.env["SEED"]} ${performance.timeOrigin}`

const fiber = Effect.runFork(program.pipe(Effect.provide(layer), Effect.withRandom(Random.make(seed))))

process.once("SIGTERM", () => Effect.runFork(Fiber.interruptFork(fiber)))
// Its standard input stays open.
fiber.addObserver((exit) => {
  const isOver = Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)
  if (!isOver) process.stderr.write(`level=ERROR ${Cause.pretty(exit.cause)}\n`)
  setImmediate(() => process.exit(isOver ? 0 : 1))
})
