import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * The groups of kinds: how many of their jobs run, and which run begins next. The transaction that changes a run writes the row of its
 * group from the rows of the runs.
 */
export const groups = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_groups (
      kind TEXT NOT NULL,
      grp TEXT NOT NULL,
      active INTEGER NOT NULL CHECK (active >= 0),
      due INTEGER NOT NULL,
      head TEXT,
      status TEXT,
      priority INTEGER NOT NULL,
      rank INTEGER NOT NULL,
      PRIMARY KEY (kind, grp),
      CHECK (due = 0 OR head IS NOT NULL)
    ) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(
    `CREATE INDEX charlotte_groups_due ON charlotte_groups (kind, priority DESC, active, rank, head) WHERE due = 1`
  )
})
