/**
 * Statements on the nodes of a cluster, and on their jobs.
 */
import { Array, Effect, Option, Schema } from "effect"
import type { SqlError } from "@effect/sql/SqlError"
import type { JobId } from "../../domain/JobId.js"
import { deadAfter } from "../../internal/timing.js"
import type { Run } from "../../domain/Run.js"
import {
  type ClusterStore,
  forgottenAfter,
  type HeldRun,
  mostRefused,
  type NewNode,
  type Node,
  type Refusal
} from "../port/RunStoreService.js"
import { type Room, type WaitingStatus, waitingStatuses } from "../rules/placeRun.js"
import type { Connection, Dialect } from "./Dialect.js"
import * as groups from "./groups.js"
import { refusalBy, unrefused } from "./queue.js"
import { pausesOf, Row, run, runColumns } from "./runRow.js"
import type { Place } from "./runs.js"
import { execute, nullable, query, upsert } from "./statements.js"

const isAlive = ({ dialect }: Connection): string => `seen_at > ${dialect.now} - ${deadAfter}`

const selectIds = query(Schema.Struct({ id: Schema.String }))

export const join = (
  connection: Connection,
  { address, capacity, definitions, id, kind, machine, pid, url, version }: NewNode
): Effect.Effect<"joined" | "owned" | "conflict", SqlError> =>
  Effect.gen(function* () {
    const { isUnowned, now } = connection.dialect
    if (!(yield* isUnowned(connection, kind))) return "owned"
    yield* execute(
      connection,
      `DELETE FROM charlotte_nodes
       WHERE kind = ? AND (address = ? OR seen_at <= ${now} - ${forgottenAfter}) AND NOT (${isAlive(connection)})`,
      [kind, address]
    )
    const rows = yield* selectIds(
      connection,
      `INSERT INTO charlotte_nodes (id, kind, address, pid, machine, capacity, url, definitions, version, joined_at, seen_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ${now}, ${now}) ON CONFLICT DO NOTHING RETURNING id`,
      [
        ...[id, kind, address, pid, machine, capacity, url ?? null],
        ...[definitions ? JSON.stringify(definitions) : null, version ?? null]
      ]
    )
    return rows.length > 0 ? "joined" : "conflict"
  })

/** Records a heartbeat of the node whose id is the parameter. */
export const renewal = ({ now }: Dialect): string =>
  `UPDATE charlotte_nodes SET seen_at = ${now} WHERE id = ? RETURNING id`

export const renew = (connection: Connection, id: string): Effect.Effect<boolean, SqlError> =>
  Effect.map(selectIds(connection, renewal(connection.dialect), [id]), (rows) => rows.length > 0)

export const leave = (connection: Connection, id: string) =>
  execute(connection, "DELETE FROM charlotte_nodes WHERE id = ?", [id])

export const drain = (connection: Connection, id: string, draining: boolean) =>
  execute(connection, "UPDATE charlotte_nodes SET draining = ? WHERE id = ?", [draining ? 1 : 0, id])

const selectNodes = query(
  Schema.Struct({
    id: Schema.String,
    kind: Schema.String,
    address: Schema.String,
    pid: Schema.Number,
    machine: Schema.String,
    capacity: Schema.Number,
    url: nullable(Schema.String),
    definitions: nullable(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String }))),
    version: nullable(Schema.String),
    draining: Schema.Number,
    running: Schema.Number,
    alive: Schema.Number,
    ago: Schema.Number
  })
)

export const nodes = (connection: Connection, kind: string): Effect.Effect<ReadonlyArray<Node>, SqlError> =>
  Effect.map(
    selectNodes(
      connection,
      `SELECT id, kind, address, pid, machine, capacity, url, definitions, version, draining, coalesce(r.runs, 0) AS running,
         CASE WHEN ${isAlive(connection)} THEN 1 ELSE 0 END AS alive, ${connection.dialect.now} - seen_at AS ago
       FROM charlotte_nodes LEFT JOIN (SELECT node, count(*) AS runs FROM charlotte_runs
         WHERE kind = ? AND status = 'running' GROUP BY node) r ON r.node = address
       WHERE kind = ? ORDER BY joined_at, id`,
      [kind, kind]
    ),
    (rows) =>
      rows.map(({ ago, alive, definitions, draining, url, version, ...node }) => ({
        ...node,
        ...(url !== null && { url }),
        ...(definitions !== null && { definitions }),
        ...(version !== null && { version }),
        isAlive: alive === 1,
        isDraining: draining === 1,
        seenAgo: Math.max(0, ago)
      }))
  )

/** The row of a kind is also its lock; a manager outside of a cluster has the row without a limit. */
const selectLimit = query(Schema.Struct({ max_jobs: nullable(Schema.Number) }))

/** The recorded limit; none if no node has joined yet. */
export const currentLimit = (connection: Connection, kind: string): Effect.Effect<Option.Option<number>, SqlError> =>
  Effect.map(selectLimit(connection, "SELECT max_jobs FROM charlotte_limits WHERE kind = ?", [kind]), ([row]) =>
    Option.fromNullable(row?.max_jobs)
  )

export const limit = (connection: Connection, kind: string): Effect.Effect<number, SqlError> =>
  Effect.map(
    currentLimit(connection, kind),
    Option.getOrElse(() => 0)
  )

export const addLimit = (connection: Connection, kind: string, maxJobs: number) =>
  execute(
    connection,
    `INSERT INTO charlotte_limits AS l (kind, max_jobs) VALUES (?, ?)
     ON CONFLICT (kind) DO UPDATE SET max_jobs = excluded.max_jobs WHERE l.max_jobs IS NULL`,
    [kind, maxJobs]
  )

export const setLimit = (connection: Connection, kind: string, maxJobs: number) =>
  upsert(connection, "charlotte_limits", { kind, max_jobs: maxJobs })

const Ids = Schema.parseJson(Schema.Array(Schema.String))

const selectRoom = query(
  Schema.Struct({
    max_jobs: nullable(Schema.Number),
    node: nullable(Schema.String),
    runs: Schema.Number,
    paused: Schema.Number,
    alive: Ids,
    draining: Ids,
    interrupted: Schema.Number,
    parked: Schema.Number,
    pending: Schema.Number
  })
)

const maxDue = "coalesce((SELECT max_jobs FROM charlotte_limits WHERE kind = ?), 0)"

/**
 * Counts due runs, of each group only the first; the parameters are the kind. The first runs of as many groups as there are permits are read,
 * whatever their status: there may be many groups, and none with a run of that status.
 */
const countDue = (status: WaitingStatus): string =>
  `(SELECT count(*) FROM (SELECT 1 FROM charlotte_runs WHERE kind = ? AND status = '${status}' AND waits_for = 'permit'
     AND refused_by IS NULL
     UNION ALL SELECT 1 FROM ${groups.heads(maxDue)} WHERE status = '${status}'
     LIMIT ${maxDue}) AS due) AS ${status}`

/** The limits on the jobs of a kind that may begin, in one query, since each transaction that begins jobs runs it. */
export const room = (connection: Connection, kind: string): Effect.Effect<Room, SqlError> => {
  const idsOf = (condition: string) =>
    `(SELECT ${connection.dialect.arrayOf("id")} FROM charlotte_nodes WHERE kind = l.kind AND ${condition})`
  return Effect.map(
    selectRoom(
      connection,
      `SELECT l.max_jobs, r.node, coalesce(r.runs, 0) AS runs, ${pausesOf("l.kind")} AS paused, ${idsOf(isAlive(connection))} AS alive,
         ${idsOf("draining = 1")} AS draining, ${waitingStatuses.map(countDue).join(", ")}
       FROM charlotte_limits l LEFT JOIN (SELECT node, count(*) AS runs FROM charlotte_runs
         WHERE kind = ? AND status = 'running' GROUP BY node) r ON TRUE
       WHERE l.kind = ?`,
      [...waitingStatuses.flatMap(() => [kind, kind, kind, kind]), kind, kind]
    ),
    (rows) => {
      const [row] = rows
      return {
        kind,
        isPaused: row?.paused === 1,
        maxJobs: row?.max_jobs ?? 0,
        running: new Map(rows.map(({ node, runs }) => [node ?? "", runs])),
        due: new Map(waitingStatuses.map((status) => [status, row?.[status] ?? 0])),
        alive: new Set(row?.alive),
        draining: new Set(row?.draining)
      }
    }
  )
}

export const hasSignOfLife = (connection: Connection, node: string): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    selectIds(connection, `SELECT id FROM charlotte_nodes WHERE id = ? AND ${isAlive(connection)}`, [node]),
    (rows) => rows.length > 0
  )

/** Places the attempts of these jobs, which have no node yet, on an address, or assigns them to the node there. */
export const assign = (connection: Connection, jobIds: ReadonlyArray<JobId>, { address, node }: Place) =>
  execute(
    connection,
    `UPDATE charlotte_runs SET node = ?, runner = ? WHERE id IN (SELECT value FROM ${connection.dialect.strings} ids)`,
    [address, node ?? null, JSON.stringify(jobIds)]
  )

/**
 * Records that a version cannot decode these runs. The first refusal has its time; what is recorded of another version stays. Most runs
 * have the same reason, so there is a statement for each.
 */
export const refuse = (
  connection: Connection,
  version: string,
  refusals: ReadonlyArray<Refusal>
): Effect.Effect<void, SqlError> =>
  Effect.forEach(
    Object.entries(Array.groupBy(refusals, ({ reason }) => reason)),
    ([reason, all]) => {
      const refusal = JSON.stringify({ [version]: reason })
      return execute(
        connection,
        `UPDATE charlotte_runs SET refused_at = coalesce(refused_at, ${connection.dialect.now}),
           refused_by = CASE WHEN refused_by IS NULL THEN ? ELSE substr(refused_by, 1, length(refused_by) - 1) || ? END
         WHERE id IN (SELECT value FROM ${connection.dialect.strings} ids) AND waits_for IN ('permit', 'group') AND ${unrefused()}`,
        [refusal, `,${refusal.slice(1)}`, JSON.stringify(all.map(({ jobId }) => jobId)), refusalBy(version)]
      )
    },
    { discard: true }
  )

const selectRefused = query(Row)

export const refused = (
  connection: Connection,
  { kind, millis }: Parameters<ClusterStore["refused"]>[0]
): Effect.Effect<ReadonlyArray<Run>, SqlError> =>
  Effect.map(
    selectRefused(
      connection,
      `SELECT ${runColumns} FROM charlotte_runs
       WHERE kind = ? AND refused_at <= ${connection.dialect.now} - ? AND waits_for IN ('permit', 'group') ORDER BY refused_at, id LIMIT ${mostRefused}`,
      [kind, millis]
    ),
    (rows) => rows.map(run)
  )

const selectHeld = query(
  Schema.Struct({
    ...Row.fields,
    node: nullable(Schema.String),
    runner: nullable(Schema.String),
    alive: nullable(Schema.Number)
  })
)

const heldWhere = (
  connection: Connection,
  condition: string,
  parameters: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<HeldRun>, SqlError> =>
  Effect.map(
    selectHeld(
      connection,
      `SELECT ${runColumns}, node, runner, (SELECT CASE WHEN ${isAlive(connection)} THEN 1 ELSE 0 END FROM charlotte_nodes
         WHERE charlotte_nodes.id = runner) AS alive
       FROM charlotte_runs WHERE ${condition} AND status = 'running' ORDER BY id`,
      parameters
    ),
    (rows) =>
      rows.map((row) => ({
        run: run(row),
        address: row.node ?? undefined,
        stopping: row.stopping_at !== null,
        crashes: row.crashes,
        runner: Option.map(Option.fromNullable(row.runner), (node) => ({ node, isAlive: row.alive === 1 }))
      }))
  )

export const held = (connection: Connection, kind: string) => heldWhere(connection, "kind = ?", [kind])

export const placed = (
  connection: Connection,
  { address, kind }: { readonly kind: string; readonly address: string }
) => heldWhere(connection, "kind = ? AND node = ? AND runner IS NULL", [kind, address])

export const heldRun = (connection: Connection, id: JobId): Effect.Effect<Option.Option<HeldRun>, SqlError> =>
  Effect.map(heldWhere(connection, "id = ?", [id]), Array.head)
