/**
 * A program that migrates the database in its first argument, and kills itself before the n-th statement of that; after its last
 * one it says how many they were.
 */
import Sqlite from "better-sqlite3"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Logger } from "effect"

const [filename = "", last = "0"] = process.argv.slice(2)
let statements = 0
let isMigrating = false

const { prepare } = Sqlite.prototype

Object.defineProperty(Sqlite.prototype, "prepare", {
  value(this: Sqlite, sql: string) {
    if (sql === "BEGIN IMMEDIATE" && statements === 0) isMigrating = true
    if (isMigrating) {
      statements += 1
      if (statements === Number(last)) process.kill(process.pid, "SIGKILL")
    }
    // One more is killed after the commit.
    if (sql === "COMMIT" && isMigrating) {
      isMigrating = false
      process.stdout.write(`${statements + 1}\n`)
      if (statements + 1 === Number(last)) setImmediate(() => process.kill(process.pid, "SIGKILL"))
    }
    return prepare.call(this, sql)
  }
})

const store = RunStore.layer.pipe(
  Layer.provide(Database.layer({ filename })),
  Layer.provide(Logger.remove(Logger.defaultLogger))
)

await Effect.runPromise(Effect.scoped(Layer.build(store)))
