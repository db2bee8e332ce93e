import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const count = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("SELECT count(*) AS rows FROM kept"))

describe("Database.layer", () => {
  it.scopedLive("rolls back what a crash cut off before the file was in WAL mode", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const filename = join(directory, "written.db")
      const crashed = join(directory, "crashed.db")

      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql.unsafe("CREATE TABLE kept (text TEXT)")
        yield* sql.unsafe("INSERT INTO kept VALUES ('before')")
        yield* sql.unsafe("PRAGMA journal_mode = DELETE")
        // So small a cache spills into the file before the commit.
        yield* sql.unsafe("PRAGMA cache_size = 1")
        yield* sql.unsafe("BEGIN")
        yield* sql.unsafe("UPDATE kept SET text = hex(randomblob(100000))")
        for (const suffix of ["", "-journal"]) copyFileSync(filename + suffix, crashed + suffix)
        yield* sql.unsafe("ROLLBACK")
      }).pipe(Effect.provide(Database.layer({ filename })))

      expect(yield* Effect.provide(count, Database.layer({ filename: crashed }))).toEqual([{ rows: 1 }])
    })
  )
})
