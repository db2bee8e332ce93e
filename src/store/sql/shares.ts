/**
 * The search of a node of a cluster for the next run to begin, limited to its share of the shards: however many runs of other nodes come
 * first, it reads none of them.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { ClusterStore, UnfinishedRun } from "../port/RunStoreService.js"
import type { Connection, Dialect } from "./Dialect.js"
import * as groups from "./groups.js"
import { dueRun, isAny, isDueForStop, orders, refusalBy, unrefused } from "./queue.js"
import { dueRank, pausesOf, Row } from "./runRow.js"
import { columnsOf, query } from "./statements.js"

const selectNext = query(Row)

/**
 * The first due run of each shard in each status, and its first head of a group, each by a search in an index, where the kind has any; and
 * the runs that other versions have refused, which may be in any shard. If the head of a group is refused, the first run of the group
 * counts that this version has not refused.
 */
export const nextOf = (
  { numbers, shardOf }: Pick<Dialect, "numbers" | "shardOf">,
  { kind, shards, statuses, version }: Parameters<ClusterStore["next"]>[0]
): readonly [sql: string, params: ReadonlyArray<string>] => {
  const share = JSON.stringify(shards)
  const refusal = refusalBy(version)
  const inOrder = `priority DESC, ${dueRank()}, id`
  const ofShards = statuses.map((status) => {
    const due = `FROM charlotte_runs
         WHERE kind = ? AND status = '${status}' AND waits_for = 'permit' AND refused_by IS NULL`
    return `SELECT (SELECT id ${due} AND ${shardOf("id")} = s.value ORDER BY ${inOrder} LIMIT 1) AS id FROM ${numbers} s
      WHERE (SELECT id ${due} ORDER BY ${orders[status]} LIMIT 1) IS NOT NULL`
  })
  const ofGroups = `SELECT (SELECT g.head FROM charlotte_groups g JOIN charlotte_runs r ON r.id = g.head
      WHERE g.kind = ? AND g.due = 1 AND ${isAny(statuses, "g.")} AND ${shardOf("g.head")} = s.value
        AND r.waits_for = 'group' AND r.refused_by IS NULL
      ORDER BY g.priority DESC, g.active, g.rank, g.head LIMIT 1) AS id FROM ${numbers} s
    WHERE (SELECT head FROM charlotte_groups WHERE kind = ? AND due = 1
      ORDER BY priority DESC, active, rank, head LIMIT 1) IS NOT NULL`
  const refused = `SELECT id FROM (SELECT id FROM charlotte_runs
      WHERE kind = ? AND refused_at IS NOT NULL AND waits_for = 'permit' AND ${isAny(statuses)} AND ${unrefused()}
      ORDER BY ${inOrder} LIMIT 1) AS refused`
  const behindRefused = `SELECT ${groups.first("r.kind", "r.grp", `${isAny(statuses)} AND ${unrefused()}`)} AS id
    FROM charlotte_runs r JOIN charlotte_groups g ON g.kind = r.kind AND g.grp = r.grp AND g.head = r.id
    WHERE r.kind = ? AND r.refused_at IS NOT NULL AND r.waits_for = 'group' AND g.due = 1`
  // A pause holds up all but these, so the other searches may end at runs that it holds up.
  const forStop = `SELECT id FROM (SELECT r.id FROM charlotte_runs r
      WHERE r.kind = ? AND ${isDueForStop(statuses)} AND ${unrefused("r.")} AND ${pausesOf("r.kind")} = 1
      ORDER BY r.id LIMIT 1) AS stopping`
  const branches = [...ofShards, ofGroups, refused, behindRefused, forStop]
  // Materialized, since PostgreSQL would search again for each run of a table whose size it does not know yet.
  const sql = `WITH found AS MATERIALIZED (SELECT id FROM (${branches.join(" UNION ALL ")}) AS heads WHERE id IS NOT NULL)
    SELECT ${columnsOf(Row, "r")} FROM found
    JOIN charlotte_runs r ON r.id = found.id LEFT JOIN charlotte_groups g ON g.kind = r.kind AND g.grp = r.grp
    WHERE r.woken_by = 'stop' OR ${pausesOf("?")} = 0
    ORDER BY r.priority DESC, coalesce(g.active, 0), ${dueRank("r.")}, r.id LIMIT 1`
  const ofShares = [...statuses, "groups"].flatMap(() => [kind, share, kind])
  return [sql, [...ofShares, ...[kind, refusal], ...[refusal, kind], ...[kind, refusal], kind]]
}

const selectAny = query(Schema.Struct({ kind: Schema.String }))

/**
 * Whether a run or a group of the kind is due, on any node. Each idle node asks twice a second, and PostgreSQL takes ten times as long to plan
 * the search as to answer this. The orders are those of two indexes: by its statistics, it could choose to read all runs for one.
 */
const isAnyDue = (connection: Connection, kind: string): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    selectAny(
      connection,
      `SELECT kind FROM (SELECT kind FROM charlotte_runs WHERE kind = ? AND waits_for = 'permit'
         ORDER BY status, priority DESC, id LIMIT 1) AS run
       UNION ALL SELECT kind FROM (SELECT kind FROM charlotte_groups WHERE kind = ? AND due = 1
         ORDER BY priority DESC, active, rank, head LIMIT 1) AS head`,
      [kind, kind]
    ),
    (rows) => rows.length > 0
  )

export const next = (
  connection: Connection,
  search: Parameters<ClusterStore["next"]>[0]
): Effect.Effect<Option.Option<UnfinishedRun>, SqlError> =>
  Effect.flatMap(search.statuses.length === 0 ? Effect.succeed(false) : isAnyDue(connection, search.kind), (isDue) => {
    if (!isDue) return Effect.succeedNone
    const [sql, params] = nextOf(connection.dialect, search)
    return Effect.map(selectNext(connection, sql, params), ([row]) => Option.map(Option.fromNullable(row), dueRun))
  })
