/**
 * The dialect of SQLite, where one writer at a time has the whole database, so nothing in it has to be locked.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import * as columns from "../sql/columns.js"
import type { Connection, Dialect } from "../sql/Dialect.js"
import { reasonOf } from "../sql/mapSqlError.js"
import { shardBy } from "../sql/shardBy.js"
import { execute, inserter, query, valuesOf } from "../sql/statements.js"

/**
 * Rolls back a transaction that an application sharing the client left open after a failed COMMIT. This connection is reserved,
 * so that transaction is no longer in use.
 */
const begin = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.catchIf(
    execute(connection, "BEGIN IMMEDIATE"),
    (error) => reasonOf(error) === "other",
    () => Effect.zipRight(Effect.ignore(execute(connection, "ROLLBACK")), execute(connection, "BEGIN IMMEDIATE"))
  )

const changed = Object.keys(columns.changes)

const update = `UPDATE charlotte_runs SET runner = CASE WHEN ? = 'running' THEN runner END,
    refused_by = CASE WHEN ? = status THEN refused_by END, refused_at = CASE WHEN ? = status THEN refused_at END,
    ${Object.keys(columns.state)
      .map((column) => `${column} = ?`)
      .join(", ")}
  WHERE id = ? AND status = ? AND attempt = ?`

/** One statement per row is cheaper here than a join. */
const updateRuns: Dialect["updateRuns"] = (connection, [row, ...rows]) =>
  row === undefined
    ? Effect.void
    : Effect.flatMap(execute(connection, update, [row.status, row.status, row.status, ...valuesOf(changed, row)]), () =>
        updateRuns(connection, rows)
      )

const insertRuns = inserter("charlotte_runs", Object.keys(columns.runs))

/** Pages that one step of a merge writes, so that it takes a few milliseconds. */
const mergedPages = 64

const selectUnmerged = query(Schema.Struct({ unmerged: Schema.Number, changes: Schema.Number }))

/** How far the merge is, and how many rows the connection has written. */
const mergeState = (connection: Connection) =>
  Effect.map(
    selectUnmerged(connection, "SELECT unmerged, total_changes() AS changes FROM charlotte_prunings", []),
    ([row]) => row ?? { unmerged: 0, changes: 0 }
  )

/**
 * A merge of all segments, in steps: a negative number begins it, and positive ones continue it until a step writes less than two rows.
 * Segments that are written meanwhile have no words of runs that were removed before.
 */
const mergeSearch: Dialect["mergeSearch"] = (connection) =>
  Effect.gen(function* () {
    const before = yield* mergeState(connection)
    if (before.unmerged === 0) return true
    const isBeginning = before.unmerged === 1
    yield* execute(connection, "INSERT INTO charlotte_search (charlotte_search, rank) VALUES ('merge', ?)", [
      isBeginning ? -mergedPages : mergedPages
    ])
    const after = yield* mergeState(connection)
    const isDone = !isBeginning && after.changes - before.changes < 2
    yield* execute(connection, "UPDATE charlotte_prunings SET unmerged = ?", [isDone ? 0 : 2])
    return isDone
  })

export const dialect: Dialect = {
  name: "sqlite",
  isConcurrent: false,
  strings: "json_each(?)",
  oneOf: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  numbers: "json_each(?)",
  elementsOf: (column) => `json_each(${column})`,
  membersOf: (column) => `json_each(${column})`,
  tableNamed: (name) => `SELECT name FROM sqlite_master WHERE name = '${name}'`,
  arrayOf: (column) => `json_group_array(${column})`,
  shardOf: shardBy("instr"),
  member: (json, name) => `${json} ->> '${name}'`,
  forUpdate: "",
  now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  latestCursor: "SELECT seq AS cursor FROM sqlite_sequence WHERE name = 'charlotte_events'",
  begin: (connection) => Effect.as(begin(connection), execute(connection, "COMMIT")),
  rollback: (connection) => Effect.ignore(execute(connection, "ROLLBACK")),
  lockRuns: () => Effect.void,
  lockAdmission: () => Effect.void,
  // A SQLite database has nodes only in tests.
  isUnowned: () => Effect.succeed(true),
  lockSearch: () => Effect.void,
  updateRuns,
  insertRuns,
  insertOutbox: (connection, row) => Effect.as(insertRuns(connection, [row]), true),
  insertEvents: inserter("charlotte_events", Object.keys(columns.events)),
  insertTerms: inserter("charlotte_search", ["rowid", "words"]),
  mergeSearch,
  leaveUnmerged: (connection, deleted) =>
    execute(
      connection,
      `UPDATE charlotte_prunings SET unmerged = 1
       WHERE one = 1 AND EXISTS (SELECT 1 FROM charlotte_removed WHERE id IN (SELECT value FROM json_each(?)))`,
      [JSON.stringify(deleted)]
    ),
  // A term has letters and digits only, so it contains nothing of the query language.
  documentsWith: (terms) => [
    `SELECT json_group_array(s.rowid) AS documents
     FROM json_each(?) t CROSS JOIN charlotte_search s ON s.charlotte_search MATCH t.value`,
    JSON.stringify(terms.map((term) => `"${term}"*`))
  ]
}
