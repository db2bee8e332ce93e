/**
 * Statements on the runs that wait for a permit, in the order in which they begin, or for a time.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { isTerminal, noRuns, RunStatus } from "../../domain/RunStatus.js"
import { type Service, type UnfinishedRun, countedEnded, countedParked } from "../port/RunStoreService.js"
import * as groups from "./groups.js"
import { dueRank, pausesOf, Row, run, runColumns } from "./runRow.js"
import { columnsOf, nullable, query } from "./statements.js"

const selectDue = query(Row)

/** A run that waits is not being stopped. */
export const dueRun = (row: typeof Row.Type): UnfinishedRun => ({
  run: run(row),
  stopping: false,
  crashes: row.crashes
})

/** Whether a run waits for a retry, whose time has come. As in its index. */
const isRetry = "(coalesce(woken_by, '') = 'retry')"

/** The order of the runs of a status, as in its index. */
export const orders = {
  interrupted: "priority DESC, id",
  parked: `priority DESC, ${isRetry}, id`,
  pending: "priority DESC, id"
}

/**
 * Whether no node of a version, whose key in the JSON text of refusals is the parameter, has refused a run. `table` is empty or ends with
 * a dot.
 */
export const unrefused = (table = ""): string =>
  `(${table}refused_by IS NULL OR replace(${table}refused_by, ?, '') = ${table}refused_by)`

/** The start of the entry of a version in that text: in a string, a quote has a backslash before it. */
export const refusalBy = (version: string): string => `${JSON.stringify(version)}:`

/** Whether a run has one of these statuses. `table` is empty or ends with a dot. */
export const isAny = (statuses: ReadonlyArray<string>, table = ""): string =>
  `${table}status IN (${statuses.map((status) => `'${status}'`).join(", ")})`

/** Whether a run `r` is due for a stop, by an index: its group, if it has one, must have room. */
export const isDueForStop = (statuses: ReadonlyArray<string>): string =>
  `r.woken_by = 'stop' AND ${isAny(statuses, "r.")} AND (r.waits_for = 'permit' OR r.waits_for = 'group' AND EXISTS
     (SELECT 1 FROM charlotte_groups g WHERE g.kind = r.kind AND g.grp = r.grp AND g.due = 1))`

/**
 * The due runs: of each group, only the first, and only if the group has room. Each status is a separate index search. Of a paused kind
 * only runs that are due for a stop, though others of their group may be before them.
 */
export const due = (
  connection: Connection,
  { kind, limit, statuses, version }: Parameters<Service["due"]>[0]
): Effect.Effect<ReadonlyArray<UnfinishedRun>, SqlError> => {
  if (statuses.length === 0) return Effect.succeed([])
  const [condition, ...by] = version === undefined ? [""] : [`AND ${unrefused()}`, refusalBy(version)]
  const ofStatus = statuses.map(
    (status) =>
      `SELECT * FROM (SELECT ${runColumns}, 0 AS active, ${dueRank()} AS rank, 0 AS paused FROM charlotte_runs
         WHERE kind = ? AND status = '${status}' AND waits_for = 'permit' ${condition} ORDER BY ${orders[status]} LIMIT ?) AS limited`
  )
  // The first run of each group with room that this version has not refused. A row that is out of date leads to a run that no longer waits.
  const first = version === undefined ? "g.head" : groups.first("g.kind", "g.grp", unrefused())
  const ofGroups = `SELECT * FROM (SELECT ${columnsOf(Row, "r")}, g.active, ${dueRank("r.")} AS rank, 0 AS paused
      FROM charlotte_groups g JOIN charlotte_runs r ON r.id = ${first}
      WHERE g.kind = ? AND g.due = 1 AND ${isAny(statuses, "r.")} AND r.waits_for = 'group'
      ORDER BY g.priority DESC, g.active, g.rank, g.head LIMIT ?) AS limited`
  const forStop = `SELECT * FROM (SELECT ${columnsOf(Row, "r")}, 0 AS active, ${dueRank("r.")} AS rank, 1 AS paused FROM charlotte_runs r
      WHERE r.kind = ? AND ${isDueForStop(statuses)} ${condition}
      ORDER BY id LIMIT ?) AS limited`
  return Effect.map(
    selectDue(
      connection,
      `SELECT ${runColumns} FROM (${[...ofStatus, ofGroups, forStop].join(" UNION ALL ")}) AS limited
       WHERE paused = ${pausesOf("?")} ORDER BY priority DESC, active, rank, id LIMIT ?`,
      [...statuses.flatMap(() => [kind, ...by, limit]), ...by, kind, limit, kind, ...by, limit, kind, limit]
    ),
    (rows) => rows.map(dueRun)
  )
}

const selectCount = query(Schema.Struct({ runs: Schema.Number }))

/** The number of due runs, by an index search for each status. */
export const countDue = (
  connection: Connection,
  { kind, limit, statuses }: Parameters<Service["countDue"]>[0]
): Effect.Effect<number, SqlError> => {
  if (statuses.length === 0) return Effect.succeed(0)
  const ofStatus = statuses.map(
    (status) => `(SELECT count(*) FROM
      (SELECT 1 FROM charlotte_runs WHERE kind = ? AND status = '${status}' AND waits_for = 'permit' AND refused_by IS NULL LIMIT ?) AS limited)`
  )
  const ofGroups = `(SELECT count(*) FROM ${groups.heads("?", isAny(statuses, "g."))})`
  const each = [...ofStatus, ofGroups]
  return Effect.map(
    selectCount(
      connection,
      `SELECT ${each.join(" + ")} AS runs`,
      each.flatMap(() => [kind, limit])
    ),
    ([row]) => Math.min(limit, row?.runs ?? 0)
  )
}

const selectTime = query(Schema.Struct({ at: nullable(Schema.DateTimeUtcFromNumber) }))

export const nextDueAt = (connection: Connection, kind: string) =>
  Effect.map(
    selectTime(connection, "SELECT min(due_at) AS at FROM charlotte_runs WHERE kind = ? AND waits_for = 'time'", [
      kind
    ]),
    ([row]) => Option.fromNullable(row?.at)
  )

const selectWoken = query(Schema.Struct({ id: JobId, grp: nullable(Schema.String) }))

/**
 * Makes runs due, at most 1,000 at once, so that no transaction is long. It does not parse what a run is parked for, since PostgreSQL
 * cannot read half of a surrogate pair, and one such run would keep all from becoming due; a quote in a text is escaped.
 */
export const wakeDue = (connection: Connection, kind: string, at: DateTime.Utc) =>
  selectWoken(
    connection,
    `UPDATE charlotte_runs SET waits_for = CASE WHEN grp IS NULL THEN 'permit' ELSE 'group' END, due_at = NULL, woken_by = CASE WHEN status <> 'parked' THEN NULL
       WHEN parked LIKE '%"retry":{%' THEN 'retry' ELSE 'time' END
     WHERE id IN (SELECT id FROM charlotte_runs WHERE kind = ? AND waits_for = 'time' AND due_at <= ?
       ORDER BY due_at, id LIMIT 1000)
     RETURNING id, grp`,
    [kind, DateTime.toEpochMillis(at)]
  )

export const pending = (connection: Connection, kind: string) =>
  Effect.map(
    selectCount(connection, "SELECT runs FROM charlotte_pending WHERE kind = ?", [kind]),
    ([row]) => row?.runs ?? 0
  )

const selectStatuses = query(Schema.Struct({ status: RunStatus, runs: Schema.Number }))

/** Pruned runs are the oldest, and are left out after the limit: there may be many of them. */
const countOf = (status: RunStatus): string =>
  status === "pending"
    ? `SELECT 'pending' AS status, coalesce((SELECT runs FROM charlotte_pending WHERE kind = ?), 0) AS runs`
    : isTerminal(status)
      ? `SELECT '${status}' AS status, count(*) AS runs FROM (SELECT pruned FROM charlotte_runs
           WHERE kind = ? AND status = '${status}' ORDER BY id DESC LIMIT ${countedEnded}) AS limited WHERE pruned = 0`
      : `SELECT '${status}' AS status, count(*) AS runs FROM charlotte_runs WHERE kind = ? AND status = '${status}'`

const countEach = RunStatus.literals.map(countOf).join(" UNION ALL ")

/** The number of runs of a kind in each status, by a search in the index of kind and status for each. */
export const countByStatus = (connection: Connection, kind: string) =>
  Effect.map(
    selectStatuses(
      connection,
      countEach,
      RunStatus.literals.map(() => kind)
    ),
    (rows) => ({ ...noRuns, ...Object.fromEntries(rows.map(({ runs, status }) => [status, runs])) })
  )

const selectBacklog = query(Schema.Struct({ oldest: nullable(JobId), parked: Schema.Number }))

/** The backlog of a kind, by two searches in the index of kind and status. */
export const backlog = (connection: Connection, kind: string) =>
  Effect.map(
    selectBacklog(
      connection,
      `SELECT (SELECT min(id) FROM charlotte_runs WHERE kind = ? AND status = 'pending') AS oldest,
         (SELECT count(*) FROM
           (SELECT id FROM charlotte_runs WHERE kind = ? AND status = 'parked' LIMIT ?) AS limited) AS parked`,
      [kind, kind, countedParked]
    ),
    ([row]) => ({ oldest: Option.fromNullable(row?.oldest), parked: row?.parked ?? 0 })
  )
