import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as PostgresMigrations from "../../../src/store/postgres/PostgresMigrations.js"
import * as tables from "../../../src/store/sql/tables.js"
import { layer } from "../tables.js"

const namesOf = (one: "sqlite" | "postgres") => tables.namesWhere(({ database = one }) => database === one).toSorted()

/** The rows of a query, as text. */
const texts = (query: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(sql.unsafe<{ readonly found: string }>(query), (rows) => rows.map(({ found }) => found))
  )

describe("tables", () => {
  it.effect("the list names every table that the migrations of SQLite create", () =>
    Effect.gen(function* () {
      const created = yield* texts(
        `SELECT name AS found FROM pragma_table_list WHERE name GLOB 'charlotte_*' AND type IN ('table', 'virtual')
         AND name <> 'charlotte_migrations' ORDER BY name`
      )
      expect(created).toEqual(namesOf("sqlite"))
    }).pipe(Effect.provide(layer))
  )

  it("the list names every table that the migrations of PostgreSQL create", () => {
    const created = PostgresMigrations.after(0).flatMap(({ statements }) =>
      statements.flatMap((statement) => /^CREATE TABLE (\w+)/.exec(statement)?.[1] ?? [])
    )
    expect(created.toSorted()).toEqual(namesOf("postgres"))
  })

  it.effect("the keys and the references of the list are those of the schema", () =>
    Effect.gen(function* () {
      for (const [name, { key, database, parent }] of tables.all) {
        if (database === "postgres") continue
        const primary = yield* texts(`SELECT name AS found FROM pragma_table_info('${name}') WHERE pk > 0 ORDER BY pk`)
        expect({ name, key: primary.length === 0 ? ["rowid"] : primary }).toEqual({ name, key })
        const references = yield* texts(
          `SELECT json_array("table", "from", "to") AS found FROM pragma_foreign_key_list('${name}') ORDER BY seq`
        )
        const [referred = "", ...columns] = parent ?? []
        const expected = columns.map((column, i) => JSON.stringify([referred, column, tables.keyOf(referred)[i]]))
        expect({ name, references }).toEqual({ name, references: expected })
      }
    }).pipe(Effect.provide(layer))
  )
})
