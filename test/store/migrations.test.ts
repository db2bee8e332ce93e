import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as PostgresMigrations from "../../src/store/postgres/PostgresMigrations.js"
import { layer } from "./tables.js"

/** Statements without the indentation of the sources. */
const script = (statements: ReadonlyArray<string>): string =>
  statements
    .map((statement) => {
      const indents = [...statement.matchAll(/\n( *)\S/g)].map(([, indent = ""]) => indent.length)
      return `${statement.replaceAll(`\n${" ".repeat(Math.min(...indents, 80))}`, "\n")};\n`
    })
    .join("\n")

describe("migrations", () => {
  it.effect("make the objects of test/snapshots/sqlite.sql in SQLite", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const objects = yield* sql<{ readonly sql: string }>`
        SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type <> 'table', type, name`
      const found = script(objects.map(({ sql }) => sql))
      yield* Effect.promise(() => expect(found).toMatchFileSnapshot("../snapshots/sqlite.sql"))
    }).pipe(Effect.provide(layer))
  )

  it("are the statements of test/snapshots/postgres.sql on PostgreSQL", () =>
    expect(script(PostgresMigrations.after(0).flatMap(({ statements }) => statements))).toMatchFileSnapshot(
      "../snapshots/postgres.sql"
    ))
})
