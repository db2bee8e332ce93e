/**
 * The reads that decide how a new run is admitted, in the transaction that inserts it.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { GroupLookup, Lookup } from "../rules/admitRun.js"
import type { Batch } from "./Batch.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import * as keys from "./keys.js"
import * as queue from "./queue.js"
import * as runs from "./runs.js"

/** `connection` flushes the buffers, and returns the connection of the transaction. */
export const lookup = (connection: Effect.Effect<Connection, SqlError>): Lookup<SqlError> => ({
  idempotent: (kind, key) => Effect.flatMap(connection, (connection) => idempotencyKeys.find(connection, kind, key)),
  holder: (key) => Effect.flatMap(connection, (connection) => keys.holder(connection, key)),
  replacing: (key) => Effect.flatMap(connection, (connection) => keys.replacing(connection, key)),
  retried: (kind, id) => Effect.flatMap(connection, (connection) => runs.retried(connection, kind, id)),
  pending: (kind) => Effect.flatMap(connection, (connection) => queue.pending(connection, kind))
})

/** The reads of a transaction that locks the kind; what its batch has counted, it does not count again. */
export const lookupIn = (batch: Batch): Lookup<SqlError> & GroupLookup<SqlError> => ({
  ...lookup(batch.connection),
  pending: batch.pending,
  group: batch.group
})
