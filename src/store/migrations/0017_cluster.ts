import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { addColumn } from "./addColumn.js"

/**
 * The nodes of a cluster, and the jobs that they have: `node` is the address on which a run was placed last, `runner` the node that
 * has taken its attempt. Both stay empty on one machine, and no cluster runs on SQLite.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* addColumn(sql, "node", "TEXT")
  yield* addColumn(sql, "runner", "TEXT")
  yield* sql.unsafe(`
    CREATE TABLE charlotte_nodes (
      id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
      kind TEXT NOT NULL CHECK (kind <> ''),
      address TEXT NOT NULL CHECK (address <> ''),
      pid INTEGER NOT NULL,
      machine TEXT NOT NULL,
      capacity INTEGER NOT NULL CHECK (capacity >= 1),
      joined_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      draining INTEGER NOT NULL DEFAULT 0,
      UNIQUE (kind, address)
    ) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(`
    CREATE TABLE charlotte_limits (
      kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''),
      max_jobs INTEGER NOT NULL CHECK (max_jobs >= 1)
    ) STRICT, WITHOUT ROWID`)
})
