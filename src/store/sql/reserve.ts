/**
 * Reserves connections of a client; nothing else calls its `reserve`.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * A connection of its own for the scope. A client loses one for ever where the fiber that waits for it is interrupted: SQLite's has no
 * other.
 */
// oxlint-disable-next-line eslint/no-restricted-properties -- here it cannot be interrupted
export const reserve = (sql: SqlClient) => Effect.uninterruptible(sql.reserve)
