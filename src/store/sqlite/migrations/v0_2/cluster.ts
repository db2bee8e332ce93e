import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The nodes of a cluster, their addresses, and the limits of kinds. No cluster runs on SQLite, which has only the limits of groups. */
export const cluster = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

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
      url TEXT,
      definitions TEXT CHECK (definitions IS NULL OR json_valid(definitions)),
      version TEXT,
      UNIQUE (kind, address)
    ) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(`
    CREATE TABLE charlotte_limits (
      kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''),
      max_jobs INTEGER CHECK (max_jobs >= 1),
      max_per_group INTEGER CHECK (max_per_group >= 1),
      manual INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID`)
})
