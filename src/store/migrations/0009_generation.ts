import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Which state of the database file its log goes on from; no `base` until the first is in the file. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_generation (
      one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
      generation TEXT NOT NULL,
      base TEXT
    ) STRICT`)
  yield* sql.unsafe("INSERT INTO charlotte_generation VALUES (1, lower(hex(randomblob(16))), NULL)")
})
