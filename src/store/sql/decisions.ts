/**
 * Statements on `charlotte_decisions`.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Decision, DecisionStore, Execution } from "../port/RunStoreService.js"
import { expiry, Waiter, waiterPrefix } from "../rules/deciding.js"
import type { Connection } from "./Dialect.js"
import { execute, query } from "./statements.js"

const isWaiter = `substr(name, 1, ${waiterPrefix.length}) = '${waiterPrefix}'`

const selectNames = query(Schema.Struct({ name: Schema.String }))

/** Whether there was no decision of that name. */
export const insert = (
  connection: Connection,
  { at, key, kind, name, value }: Parameters<DecisionStore["decide"]>[0]
): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    selectNames(
      connection,
      `INSERT INTO charlotte_decisions (kind, key, name, at, value) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, key, name) DO NOTHING RETURNING name`,
      [kind, key, name, DateTime.toEpochMillis(at), value]
    ),
    ({ length }) => length > 0
  )

const selectDecisions = query(Schema.Struct({ name: Schema.String, value: Schema.String }))

export const about = (
  connection: Connection,
  { key, kind }: Execution
): Effect.Effect<ReadonlyArray<Decision>, SqlError> =>
  selectDecisions(
    connection,
    `SELECT name, value FROM charlotte_decisions WHERE kind = ? AND key = ? AND NOT ${isWaiter} ORDER BY name`,
    [kind, key]
  )

const ofRun = "charlotte_runs r JOIN charlotte_decisions d ON d.kind = r.kind AND d.key = r.idempotency_key"

const selectCount = query(Schema.Struct({ decisions: Schema.Number }))

/** How many decisions there are about the execution of a run. */
export const count = (connection: Connection, jobId: JobId): Effect.Effect<number, SqlError> =>
  Effect.map(
    selectCount(connection, `SELECT count(*) AS decisions FROM ${ofRun} WHERE r.id = ? AND NOT ${isWaiter}`, [jobId]),
    ([row]) => row?.decisions ?? 0
  )

const selectWaiters = query(Schema.Struct({ key: Schema.String, waiter: Waiter }))

/** Who waits for the end of a run, each with the key of that run. */
export const waiters = (connection: Connection, jobId: JobId) =>
  selectWaiters(
    connection,
    `SELECT d.key, d.value AS waiter FROM ${ofRun} WHERE r.id = ? AND ${isWaiter} ORDER BY d.name`,
    [jobId]
  )

/** Removes old decisions about executions of a kind that have no run. */
export const removeExpired = (connection: Connection, kind: string, at: DateTime.Utc) =>
  execute(
    connection,
    `DELETE FROM charlotte_decisions WHERE kind = ? AND at < ? AND NOT EXISTS
       (SELECT 1 FROM charlotte_runs r WHERE r.kind = charlotte_decisions.kind AND r.idempotency_key = charlotte_decisions.key)`,
    [kind, DateTime.toEpochMillis(expiry(at))]
  )

/** Removes the decisions about the executions of runs. */
export const removeOf = (connection: Connection, ids: ReadonlyArray<JobId>) =>
  execute(
    connection,
    `DELETE FROM charlotte_decisions WHERE (kind, key) IN (
       SELECT r.kind, r.idempotency_key FROM ${connection.dialect.strings} ids CROSS JOIN charlotte_runs r
       WHERE r.id = ids.value AND r.idempotency_key IS NOT NULL)`,
    [JSON.stringify(ids)]
  )
