import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** What is decided about executions of workflows. An execution may start later, so nothing refers to its run. */
export const decisions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_decisions (
      kind TEXT NOT NULL CHECK (kind <> ''),
      key TEXT NOT NULL CHECK (key <> ''),
      name TEXT NOT NULL CHECK (name <> ''),
      at INTEGER NOT NULL,
      value TEXT NOT NULL CHECK (json_valid(value)),
      PRIMARY KEY (kind, key, name)
    ) STRICT`)
  yield* sql.unsafe(`CREATE INDEX charlotte_decisions_at ON charlotte_decisions (kind, at)`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_decisions_final BEFORE UPDATE ON charlotte_decisions
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a decision never changes');
    END`)
})
