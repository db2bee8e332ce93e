/**
 * The groups of the kinds: how many jobs of each run, and which of its runs begins next. The rows of the runs decide, under the lock of the
 * kind, whether a run may begin; the row of a group is read again from them after each change, so that the next run is found by one search
 * in an index, however many groups are full.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { Group } from "../port/RunStoreService.js"
import type { Connection } from "./Dialect.js"
import { dueRank } from "./runRow.js"
import { execute, nullable, query } from "./statements.js"

/** The setting of a kind, which is a parameter or a column. */
const setting = (column: "max_per_group" | "manual", kind = "?"): string =>
  `(SELECT ${column} FROM charlotte_limits WHERE kind = ${kind})`

/** Whether a run begins without a person. */
const isBegun = (kind = "?", run = "") =>
  `(${run}status <> 'interrupted' OR coalesce(${setting("manual", kind)}, 0) = 0)`

/** The first of the runs that wait for a group and match a condition; the kind is used twice. */
export const first = (kind: string, group: string, condition = "TRUE"): string =>
  `(SELECT id FROM charlotte_runs WHERE kind = ${kind} AND grp = ${group} AND waits_for = 'group' AND ${isBegun(kind)} AND ${condition}
    ORDER BY priority DESC, ${dueRank()}, id LIMIT 1)`

/**
 * The statuses of the first runs of groups with room; the parameter is the kind. The order of the index and the search in a column keep
 * PostgreSQL from reading all groups for a few.
 */
export const heads = (limit: string, condition = "TRUE"): string =>
  `(SELECT g.status FROM charlotte_groups g
    WHERE g.kind = ? AND g.due = 1 AND (SELECT r.refused_by IS NULL FROM charlotte_runs r WHERE r.id = g.head) AND ${condition}
    ORDER BY g.priority DESC, g.active, g.rank, g.head LIMIT ${limit}) AS heads`

const selectCounts = query(
  Schema.Struct({
    grp: Schema.String,
    most: nullable(Schema.Number),
    active: Schema.Number,
    waiting: Schema.Number
  })
)

/** Counts up to the limit of the kind. */
const count = (condition: string, column: string): string =>
  `(SELECT count(*) FROM (SELECT 1 FROM charlotte_runs WHERE kind = ? AND grp = names.value AND ${condition}
     LIMIT coalesce(${setting("max_per_group")}, 0)) AS found) AS ${column}`

/** How many jobs of each of these groups run and wait, and how many may run; read from their rows, under the lock of the kind. */
export const counts = (
  connection: Connection,
  kind: string,
  groups: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, Group>, SqlError> =>
  Effect.map(
    selectCounts(
      connection,
      `SELECT names.value AS grp, ${setting("max_per_group")} AS most, ${count("status = 'running'", "active")},
         ${count(`waits_for = 'group' AND ${isBegun()}`, "waiting")}
       FROM ${connection.dialect.strings} names`,
      [kind, kind, kind, kind, kind, kind, JSON.stringify(groups)]
    ),
    (rows) => new Map(rows.map(({ active, grp, most, waiting }) => [grp, { most: most ?? undefined, active, waiting }]))
  )

export const none: Group = { most: undefined, active: 0, waiting: 0 }

export const get = (connection: Connection, kind: string, group: string): Effect.Effect<Group, SqlError> =>
  Effect.map(counts(connection, kind, [group]), (counted) => counted.get(group) ?? none)

/** Reads these groups again from the rows of their runs. */
export const settle = (
  connection: Connection,
  kind: string,
  groups: ReadonlyArray<string>
): Effect.Effect<void, SqlError> => {
  const { oneOf, strings } = connection.dialect
  const names = JSON.stringify(groups)
  return Effect.zipRight(
    execute(connection, `DELETE FROM charlotte_groups WHERE kind = ? AND ${oneOf("grp")}`, [kind, names]),
    execute(
      connection,
      `INSERT INTO charlotte_groups (kind, grp, active, due, head, status, priority, rank)
       SELECT ${settled} FROM (
         SELECT value AS grp,
           (SELECT count(*) FROM charlotte_runs WHERE kind = ? AND grp = value AND status = 'running') AS active,
           ${first("?", "value")} AS head
         FROM ${strings} names
       ) AS g LEFT JOIN charlotte_runs r ON r.id = g.head WHERE g.active > 0 OR g.head IS NOT NULL`,
      [kind, kind, kind, kind, kind, names]
    )
  )
}

/** Whether the first run of a group `g` is due: 1 or 0; the parameter is the kind. */
const isDue = `CASE WHEN g.head IS NOT NULL AND g.active < coalesce(${setting("max_per_group")}, g.active + 1) THEN 1 ELSE 0 END`

/** The row of a group `g` with its first run `r`; both parameters are the kind. */
const settled = `CAST(? AS TEXT), g.grp, g.active,
  ${isDue},
  g.head, r.status, coalesce(r.priority, 0), ${dueRank("r.")}`

const selectGroups = query(Schema.Struct({ grp: Schema.String }))

/**
 * The groups of a kind whose rows do not have their first run, or not whether it is due by the setting of the kind. When a kind registers for
 * the first time, its groups have no rows.
 */
export const unsettled = (connection: Connection, kind: string) =>
  Effect.map(
    selectGroups(
      connection,
      `SELECT g.grp FROM charlotte_groups g WHERE g.kind = ? AND (NOT ${isBegun("?", "g.")}
         OR g.due <> ${isDue}
         OR g.head IS NOT NULL AND NOT EXISTS (SELECT 1 FROM charlotte_runs h WHERE h.id = g.head AND h.waits_for = 'group'))
       UNION SELECT r.grp FROM charlotte_runs r LEFT JOIN charlotte_groups g ON g.kind = r.kind AND g.grp = r.grp
       WHERE r.kind = ? AND r.waits_for = 'group' AND ${isBegun("?", "r.")}
         AND (g.head IS NULL OR (r.status = 'interrupted' AND g.status <> 'interrupted'))`,
      [kind, kind, kind, kind, kind]
    ),
    (rows) => rows.map(({ grp }) => grp)
  )

/** Marks groups to settle in a transaction that locks their kind: other transactions change their runs at the same time. */
export const mark = (connection: Connection, kind: string, groups: ReadonlyArray<string>) =>
  execute(
    connection,
    `INSERT INTO charlotte_changed_groups (kind, grp) SELECT CAST(? AS TEXT), value FROM ${connection.dialect.strings} names`,
    [kind, JSON.stringify(groups)]
  )

/** Settles the marked groups of a kind, whose lock is held. Returns whether there were any. */
export const settleMarked = (connection: Connection, kind: string): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const marked = yield* selectGroups(
      connection,
      "DELETE FROM charlotte_changed_groups WHERE kind = ? RETURNING grp",
      [kind]
    )
    if (marked.length > 0) yield* settle(connection, kind, [...new Set(marked.map(({ grp }) => grp))])
    return marked.length > 0
  })

const selectKinds = query(Schema.Struct({ kind: Schema.String }))

/** Whether groups of a kind are marked: the process that should settle them may be gone. */
export const hasMarked = (connection: Connection, kind: string): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    selectKinds(connection, "SELECT kind FROM charlotte_changed_groups WHERE kind = ? LIMIT 1", [kind]),
    (rows) => rows.length > 0
  )
