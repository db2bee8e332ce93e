import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Limits of agents: one row for each profile, until the agent works again. */
export const agents = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_agent_limits (
      agent TEXT NOT NULL PRIMARY KEY CHECK (agent <> ''),
      class TEXT NOT NULL CHECK (class IN ('usageLimit', 'funds')),
      reason TEXT NOT NULL,
      until INTEGER NOT NULL,
      refusals INTEGER NOT NULL CHECK (refusals >= 0)
    ) STRICT, WITHOUT ROWID`)
})
