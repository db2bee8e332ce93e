/**
 * Databases of version 0.1.0.
 */
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const dump = readFileSync(fileURLToPath(new URL("home-0.1.0.sql", import.meta.url)), "utf8")

/** Makes the database of 0.1.0, and changes it. */
export const create = (filename: string, change: (database: Sqlite) => void): void => {
  const sql = new Sqlite(filename)
  sql.pragma("journal_mode = WAL")
  sql.exec(dump)
  sql.pragma("foreign_keys = ON")
  change(sql)
  sql.close()
}

/** The database of 0.1.0, in a directory of its own, and whatever else these statements put into it. */
export const database = (also = "") =>
  Effect.map(TemporaryDirectory.file("charlotte.db"), (filename) => {
    create(filename, (sql) => sql.exec(also))
    return filename
  })

export type Row = Readonly<Record<string, unknown>>

/** The rows of every table, by its name. */
export const rows = (filename: string): Readonly<Record<string, ReadonlyArray<Row>>> => {
  const sql = new Sqlite(filename)
  const select = (statement: string) => sql.prepare<[], Row>(statement).all()
  const tables = select("SELECT name FROM sqlite_master WHERE type = 'table'")
  const all = Object.fromEntries(
    tables.map(({ name }) => {
      const keys = select(`SELECT name FROM pragma_table_info('${String(name)}') ORDER BY pk = 0, pk`)
      const order = keys.map((column) => `"${String(column["name"])}"`).join(", ")
      return [String(name), select(`SELECT * FROM "${String(name)}" ORDER BY ${order}`)]
    })
  )
  sql.close()
  return all
}
