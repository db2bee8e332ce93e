import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

export const insertFirst = "INSERT INTO charlotte_generation VALUES (1, lower(hex(randomblob(16))), NULL)"

/** The generation of the database that the WAL extends; `base` is NULL until the first generation is checkpointed. */
export const generation = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_generation (
      one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
      generation TEXT NOT NULL,
      base TEXT
    ) STRICT`)
  yield* sql.unsafe(insertFirst)
})
