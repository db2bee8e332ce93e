/**
 * The dialect of PostgreSQL, where several processes write at the same time: locks do what SQLite's single writer does
 * implicitly.
 */
import { SqlError } from "@effect/sql/SqlError"
import { Effect, Predicate, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as columns from "../sql/columns.js"
import type { Connection, Dialect, Lane, Write } from "../sql/Dialect.js"
import { reasonOf } from "../sql/mapSqlError.js"
import { shardBy } from "../sql/shardBy.js"
import { execute, inserter, query, queryOne, type Value, type Values } from "../sql/statements.js"
import { channel, eventsNotice } from "./notices.js"
import type { OwnCursors } from "./OwnCursors.js"

/** The key of the lock of a kind's owner; the tables of each schema have their own owners. */
export const ownerKey = "hashtextextended('charlotte ' || current_schema() || ' ' || CAST(? AS text), 0)"

const selectRows = query(Schema.Unknown)

/**
 * The strings of a JSON parameter. The planner expects ten elements of an array, and a hundred rows of a function, for
 * which it would read all 10,000 rows of a table.
 */
const elements = "ARRAY(SELECT jsonb_array_elements_text(CAST(? AS jsonb)))"

const isOneOf = (column: string): string => `${column} = ANY (${elements})`

/**
 * Locks a row, and inserts it if it is missing. Locks are rows, since a login that may only read cannot lock rows, but can take
 * any advisory lock.
 */
const lockRow = (
  connection: Connection,
  { insert, select }: { readonly select: string; readonly insert: string },
  params: ReadonlyArray<Value> = []
): Effect.Effect<void, SqlError> => {
  const lock = Effect.map(selectRows(connection, `${select} FOR NO KEY UPDATE`, params), (rows) => rows.length > 0)
  return Effect.flatMap(lock, (isLocked) =>
    isLocked ? Effect.void : Effect.zipRight(execute(connection, `${insert} ON CONFLICT DO NOTHING`, params), lock)
  )
}

const kindLock = {
  select: "SELECT 1 FROM charlotte_limits WHERE kind = ?",
  insert: "INSERT INTO charlotte_limits (kind) VALUES (?)"
}

/** The row of the first partition, where the index begins. */
const searchLock = {
  select: "SELECT 1 FROM charlotte_partitions WHERE partition = 0",
  insert: "INSERT INTO charlotte_partitions (partition, first_id, last_id, documents) VALUES (0, '', '', 0)"
}

const selectLocks = queryOne(Schema.Struct({ taken: Schema.Boolean }))
const selectIds = query(Schema.Struct({ id: Schema.String }))
const drawCursors = queryOne(Schema.Struct({ cursor: Schema.Number }))
const countInserted = queryOne(Schema.Struct({ runs: Schema.Number }))

const names = (of: columns.Columns): string => Object.keys(of).join(", ")

/** A table of rows, whose parameters are arrays of the values of each column: one statement serves any number of rows. */
const table = (of: columns.Columns): string =>
  `unnest(${Object.values(of)
    .map((type) => `?::${type}[]`)
    .join(", ")})`

const valuesOf = (of: columns.Columns, rows: ReadonlyArray<Values>) =>
  Object.keys(of).map((column) => rows.map((row) => row[column] ?? null))

const bulk =
  <C extends columns.Columns>(of: C, sql: string): Write<C> =>
  (connection, rows) =>
    Effect.asVoid(connection.execute(sql, valuesOf(of, rows), undefined))

const updateRuns = bulk(
  columns.changes,
  `UPDATE charlotte_runs r SET ${Object.keys(columns.state)
    .map((column) => `${column} = c.${column}`)
    .join(", ")},
     runner = CASE WHEN c.status = 'running' THEN r.runner END,
     refused_by = CASE WHEN c.status = r.status THEN r.refused_by END,
     refused_at = CASE WHEN c.status = r.status THEN r.refused_at END
   FROM ${table(columns.changes)} AS c (${names(columns.changes)})
   WHERE r.id = c.id AND r.status = c.status_before AND r.attempt = c.attempt_before`
)

const insertRuns = bulk(
  columns.runs,
  `INSERT INTO charlotte_runs (${names(columns.runs)}) SELECT * FROM ${table(columns.runs)}`
)

/** How long a statement waits for a lock before it fails with `busy` and is retried. */
const lockTimeout: { readonly [of in Lane]: string } = { admission: "2s", record: "5s" }

/**
 * The application's `lock_timeout` is restored at the end of the statement: as `SET LOCAL`, the new one would last beyond the
 * savepoint of a nested transaction. The CTEs are read from the first to the last, since each reads the one before.
 */
const insertOutbox = `WITH old AS MATERIALIZED (
    SELECT value, set_config('lock_timeout', '${lockTimeout.admission}', true) AS timeout
    FROM (SELECT current_setting('lock_timeout') AS value OFFSET 0) AS current
  ), inserted AS (
    INSERT INTO charlotte_runs (${names(columns.runs)})
    SELECT run.* FROM old CROSS JOIN ${table(columns.runs)} AS run WHERE old.timeout IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING id
  ), counted AS MATERIALIZED (SELECT count(*) AS runs FROM inserted)
  SELECT counted.runs, set_config('lock_timeout', old.value, true) AS timeout FROM counted CROSS JOIN old`

/** Draws the cursors, and locks the log until the commit. */
const insertEvents = `WITH drawn AS (
    UPDATE charlotte_log SET cursor = cursor + ? RETURNING cursor, CAST(pg_notify('${channel}', ?) AS text) AS notified
  ), inserted AS (
    INSERT INTO charlotte_events (cursor, ${names(columns.events)})
    SELECT drawn.cursor - ? + e.n, ${names(columns.events)}
    FROM drawn, ${table(columns.events)} WITH ORDINALITY AS e (${names(columns.events)}, n)
  )
  SELECT cursor, notified FROM drawn`

/** The id of the transaction that a connection is in, as the server numbers it. */
const transactionIn = (results: unknown): string | undefined => {
  const last: unknown = Array.isArray(results) ? results.at(-1) : undefined
  const rows: unknown = Predicate.hasProperty(last, "rows") ? last.rows : undefined
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined
  return Predicate.hasProperty(row, "xid") && typeof row.xid === "string" ? row.xid : undefined
}

/** How long a suspended or unreachable process may hold its locks in the middle of a transaction, while all others wait. */
const longestIdle = "3s"

/**
 * Begins a transaction in one round trip. Regardless of settings, a statement after a lock sees what was committed before it, and an
 * acknowledged commit is on the disk.
 */
const beginning = (lane: Lane): string =>
  [
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "SET LOCAL synchronous_commit TO on",
    `SET LOCAL idle_in_transaction_session_timeout TO '${longestIdle}'`,
    `SET LOCAL lock_timeout TO '${lockTimeout[lane]}'`,
    "SELECT CAST(pg_current_xact_id() AS text) AS xid"
  ].join("; ")

const beginnings: { readonly [of in Lane]: string } = {
  admission: beginning("admission"),
  record: beginning("record")
}

/** Queries the outcome of a transaction on another connection, until the server knows it. */
export type Outcome = (xid: string) => Effect.Effect<"committed" | "aborted", StoreError>

export const make = ({
  own,
  outcome,
  origin
}: {
  readonly origin: string
  readonly outcome: Outcome
  readonly own: OwnCursors
}): Dialect => {
  /** If the connection is lost during the COMMIT, only the server knows the outcome of the transaction. */
  const commit = (connection: Connection, xid: string): Effect.Effect<void, SqlError | StoreError> =>
    Effect.tap(
      Effect.catchIf(
        execute(connection, "COMMIT"),
        (error) => reasonOf(error) === "unreachable",
        (error) => Effect.flatMap(outcome(xid), (became) => (became === "committed" ? Effect.void : Effect.fail(error)))
      ),
      () => Effect.sync(() => own.committed(connection))
    )

  return {
    name: "postgres",
    isConcurrent: true,
    strings: `(SELECT unnest(${elements}) AS value)`,
    oneOf: isOneOf,
    numbers: `(SELECT CAST(unnest(${elements}) AS bigint) AS value)`,
    elementsOf: (column) => `json_array_elements_text(CAST(${column} AS json))`,
    membersOf: (column) => `json_each_text(CAST(${column} AS json))`,
    tableNamed: (name) => `SELECT '${name}' AS name WHERE to_regclass('${name}') IS NOT NULL`,
    arrayOf: (column) => `coalesce(CAST(json_agg(${column}) AS text), '[]')`,
    shardOf: shardBy("strpos"),
    // A string with a NUL, or with half of a surrogate pair, is valid JSON, but not valid text.
    member: (json, name) =>
      `CAST(regexp_replace(${json}, '\\\\u(0000|d[89a-f][0-9a-f]{2})', '\\\\ufffd', 'g') AS json) ->> '${name}'`,
    forUpdate: " FOR UPDATE",
    now: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
    latestCursor: "SELECT cursor FROM charlotte_log",

    begin: (connection, lane) =>
      Effect.flatMap(connection.executeRaw(beginnings[lane], []), (results) => {
        const xid = transactionIn(results)
        return xid === undefined
          ? new SqlError({ cause: new Error("the server has not numbered a transaction"), message: "cannot begin" })
          : Effect.succeed(commit(connection, xid))
      }),

    rollback: (connection) =>
      Effect.zipRight(
        Effect.ignore(execute(connection, "ROLLBACK")),
        Effect.sync(() => own.rolledBack(connection))
      ),

    // `FOR NO KEY UPDATE` lets other transactions insert rows that refer to these.
    lockRuns: (connection, ids) =>
      Effect.asVoid(
        selectIds(connection, `SELECT id FROM charlotte_runs WHERE ${isOneOf("id")} ORDER BY id FOR NO KEY UPDATE`, [
          JSON.stringify(ids)
        ])
      ),
    lockAdmission: (connection, kind) => lockRow(connection, kindLock, [kind]),
    isUnowned: (connection, kind) =>
      Effect.map(
        selectLocks(connection, `SELECT pg_try_advisory_xact_lock_shared(${ownerKey}) AS taken`, [kind]),
        ({ taken }) => taken
      ),
    lockSearch: (connection) => lockRow(connection, searchLock),

    updateRuns,
    insertRuns,
    insertOutbox: (connection, row) =>
      Effect.map(countInserted(connection, insertOutbox, valuesOf(columns.runs, [row])), ({ runs }) => runs > 0),
    insertEvents: (connection, rows) =>
      Effect.map(
        drawCursors(connection, insertEvents, [
          rows.length,
          eventsNotice(origin),
          rows.length,
          ...valuesOf(columns.events, rows)
        ]),
        ({ cursor }) => own.draw(connection, cursor - rows.length + 1, cursor)
      ),

    insertTerms: inserter("charlotte_search", ["rowid", "words"], "(?, array_to_tsvector(string_to_array(?, ' ')))"),
    // A row that is deleted has no words, and VACUUM frees its space.
    mergeSearch: () => Effect.succeed(true),
    leaveUnmerged: () => Effect.void,
    // A term has letters and digits only, so it contains nothing of the query language.
    documentsWith: (terms) => [
      `SELECT coalesce(CAST(json_agg(rowid) AS text), '[]') AS documents
       FROM charlotte_search WHERE words @@ CAST(? AS tsquery)`,
      terms.map((term) => `'${term}':*`).join(" | ")
    ]
  }
}
