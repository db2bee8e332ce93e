/**
 * The differences between SQLite and PostgreSQL. All other statements are the same in both, with `?` for parameters.
 */
import type * as SqlConnection from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type * as columns from "./columns.js"
import type { Value } from "./statements.js"

/** Writes any number of rows. */
export type Write<C extends columns.Columns> = (
  connection: Connection,
  rows: ReadonlyArray<columns.Row<C>>
) => Effect.Effect<void, SqlError>

/** A row of the search index. */
export type Terms = { readonly rowid: number; readonly words: string }

/**
 * Which writes a transaction has: `admission` for writes that decide, under the lock of a kind, which runs begin and who holds a key;
 * `record` for all others. A transaction of an application can delay the former for as long as it is open, and never the latter.
 */
export type Lane = "admission" | "record"

/** A connection, and the dialect of its database. */
export interface Connection extends SqlConnection.Connection {
  readonly dialect: Dialect
}

export interface Dialect {
  readonly name: "sqlite" | "postgres"
  /** Whether several transactions write at the same time, so that each lane has its own. */
  readonly isConcurrent: boolean
  /** A table of the strings of a JSON array, which is its parameter; the column is `value`. */
  readonly strings: string
  /** Whether a column is one of the strings in a JSON parameter, by a search in its index for each. */
  readonly oneOf: (column: string) => string
  /** A table of the numbers of a JSON array. */
  readonly numbers: string
  /** A table of the strings of the JSON array in a column; the column is `value`. */
  readonly elementsOf: (column: string) => string
  /** A table of the members of the JSON object in a column, all strings, as `key` and `value`. */
  readonly membersOf: (column: string) => string
  /** A query for a table of that name, as `name`. */
  readonly tableNamed: (name: string) => string
  /** The JSON text of the array of a column, in an aggregate. */
  readonly arrayOf: (column: string) => string
  /** The shard of the id in a column, as in its index. */
  readonly shardOf: (id: string) => string
  /** The text of a member of a JSON text. */
  readonly member: (json: string, name: string) => string
  /** Appended to a query, locks the rows that it finds until the end of the transaction. */
  readonly forUpdate: string
  /** Milliseconds since 1970 by the clock of the database. */
  readonly now: string
  /** The number of the last drawn cursor, as `cursor`. */
  readonly latestCursor: string

  /** Begins a transaction and returns the effect that commits it, which fails only if nothing was committed. */
  readonly begin: (
    connection: Connection,
    lane: Lane
  ) => Effect.Effect<Effect.Effect<void, SqlError | StoreError>, SqlError>
  /** Ends a transaction that was not committed. Ignores a failure: the database may have rolled it back already. */
  readonly rollback: (connection: Connection) => Effect.Effect<void>
  /** Locks these runs against other writers until the end of the transaction. */
  readonly lockRuns: (connection: Connection, ids: ReadonlyArray<JobId>) => Effect.Effect<void, SqlError>
  /** Locks the keys, the limit and the number of pending runs of a kind until the end of the transaction. */
  readonly lockAdmission: (connection: Connection, kind: string) => Effect.Effect<void, SqlError>
  /** Whether no owner holds a kind exclusively; none acquires it before the end of the transaction. */
  readonly isUnowned: (connection: Connection, kind: string) => Effect.Effect<boolean, SqlError>
  /** Locks the search index against other writers until the end of the transaction. */
  readonly lockSearch: (connection: Connection) => Effect.Effect<void, SqlError>
  readonly insertRuns: Write<typeof columns.runs>
  /**
   * Inserts a run in a transaction of the application, whose settings stay unchanged. It waits for other transactions that
   * insert one of its keys; `false` if one of them has committed it.
   */
  readonly insertOutbox: (
    connection: Connection,
    row: columns.Row<typeof columns.runs>
  ) => Effect.Effect<boolean, SqlError>
  /** Updates the runs whose status and attempt are still those before the change. */
  readonly updateRuns: Write<typeof columns.changes>
  /** Appends rows of any jobs, in the order of their cursors. A reader of a cursor has seen all lower ones. */
  readonly insertEvents: Write<typeof columns.events>
  /** Inserts documents into the search index, each by its number, with its terms, separated by spaces. */
  readonly insertTerms: (connection: Connection, rows: ReadonlyArray<Terms>) => Effect.Effect<void, SqlError>
  /**
   * Removes words of removed runs from the files of the search index, for a few milliseconds, where deleting a document leaves them. Returns
   * whether it is done.
   */
  readonly mergeSearch: (connection: Connection) => Effect.Effect<boolean, SqlError>
  /** Records that the words of deleted runs are to be merged away, if some of the runs were removed. */
  readonly leaveUnmerged: (connection: Connection, deleted: ReadonlyArray<JobId>) => Effect.Effect<void, SqlError>
  /** The documents in which a word begins with one of these terms, as `documents`: a JSON array. */
  readonly documentsWith: (terms: ReadonlyArray<string>) => readonly [sql: string, ...params: ReadonlyArray<Value>]
}
