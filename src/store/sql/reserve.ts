/**
 * Reserves connections of a client; nothing else calls its `reserve`.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * Reserves a connection for the scope. A client loses a connection for ever if the fiber that waits for it is interrupted, and SQLite's
 * client has no other.
 */
// oxlint-disable-next-line eslint/no-restricted-properties -- here it cannot be interrupted
export const reserve = (sql: SqlClient) => Effect.uninterruptible(sql.reserve)
