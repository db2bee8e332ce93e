/**
 * The baseline: the statements of a job's life on a bare better-sqlite3, on the tables of a store.
 */
import Database from "better-sqlite3"
import { Effect, Layer } from "effect"
import { text } from "../harness/Subject.js"
import { store } from "./manager.js"

/** A bare connection to a database with the tables of a store. */
export const open = async () => {
  await Effect.runPromise(Effect.scoped(Layer.build(store)))
  const database = new Database(text("file"))
  database.pragma("journal_mode = WAL")
  database.pragma("foreign_keys = ON")
  database.pragma(`synchronous = ${text("synchronous")}`)
  // In WAL mode the driver falls back to NORMAL at the first write.
  database.exec(`PRAGMA user_version = 0; PRAGMA synchronous = ${text("synchronous")}`)
  return database
}
