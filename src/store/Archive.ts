/**
 * Exports all records of a database as lines of JSON, and imports such lines into an empty PostgreSQL database. Ids and cursors are
 * kept.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { Chunk, Effect, Either, Option, Schema, Stream } from "effect"
import { StoreError } from "../domain/errors.js"
import { MachineRef } from "../internal/Machine.js"
import { schemaVersion } from "./schemaVersion.js"
import * as archive from "./sql/archive.js"
import type { Connection } from "./sql/Dialect.js"
import { storeError } from "./sql/mapSqlError.js"
import { openSession } from "./openSession.js"
import { execute } from "./sql/statements.js"

const Header = Schema.Struct({
  charlotte: Schema.Literal("records"),
  version: Schema.String,
  schema: Schema.Int,
  /** The last drawn cursor. */
  cursor: Schema.Int
})

const Row = Schema.Struct({ table: archive.Table, row: archive.Row })

/** The last line; a file without it is incomplete. */
const End = Schema.Struct({ end: Schema.Int })

const Line = Schema.parseJson(Schema.Union(Row, End, Header))
type Line = typeof Line.Type

const encode = (line: Line): string => `${JSON.stringify(line)}\n`
const decode = Schema.decodeUnknownEither(Line)

const reading = "export the records"

/** The lines of a database without writers. */
export const lines = (version: string): Stream.Stream<string, StoreError, SqlClient> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const session = yield* openSession
      const machine = yield* MachineRef
      const { latest } = yield* schemaVersion
      const cursor = yield* session.read(reading, archive.latestCursor)
      let count = 0
      /** Adds the machine, which the rows of an SQLite file do not name: all its records belong to one. */
      const onMachine = (table: archive.Table, row: archive.Row) =>
        table === "charlotte_attempts" && row["machine"] === null ? { ...row, machine } : row
      const rowsOf = (table: archive.Table) =>
        Stream.paginateChunkEffect(undefined, (after: archive.Row | undefined) =>
          Effect.map(
            session.read(reading, (connection) => archive.page(connection, table, after)),
            (rows) => {
              count += rows.length
              const next = rows.length < archive.pageSize ? Option.none() : Option.fromNullable(rows.at(-1))
              const written = rows.map((row) => encode({ table, row: onMachine(table, row) }))
              return [Chunk.fromIterable(written), next] as const
            }
          )
        )
      const header = encode({ charlotte: "records", version, schema: latest, cursor })
      return Stream.make(header).pipe(
        Stream.concat(Stream.flatMap(Stream.fromIterable(archive.tables), rowsOf)),
        Stream.concat(Stream.sync(() => encode({ end: count })))
      )
    })
  )

export interface Counts {
  readonly jobs: number
  readonly events: number
}

const writing = "import the records"

const refuse = (problem: string) => new StoreError({ operation: writing, reason: "invalid", cause: new Error(problem) })

/** Groups successive rows of the same table. */
const byTable = (rows: ReadonlyArray<typeof Row.Type>) => {
  const groups: Array<{ readonly table: archive.Table; readonly rows: Array<archive.Row> }> = []
  for (const { row, table } of rows) {
    const last = groups.at(-1)
    if (last?.table === table) last.rows.push(row)
    else groups.push({ table, rows: [row] })
  }
  return groups
}

const fill = <E, R>(connection: Connection, text: Stream.Stream<string, E, R>, schema: number) =>
  Effect.gen(function* () {
    if (!(yield* archive.isEmpty(connection))) {
      return yield* refuse("the database is in use, or has records already; name an empty one")
    }
    let header: typeof Header.Type | undefined
    let end: number | undefined
    let count = 0
    const counts = { jobs: 0, events: 0 }
    const rowOf = (line: string) =>
      Effect.gen(function* () {
        const decoded = Either.getOrUndefined(decode(line))
        if (decoded === undefined || end !== undefined) return yield* refuse("the file is damaged")
        if ("end" in decoded) end = decoded.end
        else if ("charlotte" in decoded) header = decoded
        return header === undefined || !("row" in decoded) ? [] : [decoded]
      })
    yield* Stream.runForEachChunk(Stream.rechunk(text, archive.pageSize), (lines) =>
      Effect.gen(function* () {
        const rows = (yield* Effect.forEach(lines, rowOf)).flat()
        if (header === undefined) return yield* refuse("it is no file of charlotte export-home")
        if (header.schema !== schema) {
          return yield* refuse(
            `the file has schema version ${header.schema}, and this Charlotte has ${schema}; use Charlotte ${header.version}`
          )
        }
        for (const group of byTable(rows)) {
          yield* archive.insert(connection, group.table, group.rows)
          if (group.table === "charlotte_runs") counts.jobs += group.rows.length
          if (group.table === "charlotte_events") counts.events += group.rows.length
        }
        count += rows.length
      })
    )
    if (header === undefined || end !== count) return yield* refuse("the file is cut off")
    yield* archive.setCursor(connection, header.cursor)
    return counts
  })

/** Imports all lines in one transaction, or none. The tables have to exist and to be empty. */
export const restore = <E, R>(
  text: Stream.Stream<string, E, R>
): Effect.Effect<Counts, StoreError | E, SqlClient | R> =>
  Effect.gen(function* () {
    const session = yield* openSession
    const { latest } = yield* schemaVersion
    const context = yield* Effect.context<R>()
    const counts = session.reserve((connection) =>
      Effect.gen(function* () {
        if (connection.dialect.name !== "postgres") return yield* refuse("records are imported into PostgreSQL only")
        return yield* execute(connection, "BEGIN").pipe(
          Effect.zipRight(fill(connection, Stream.provideContext(text, context), latest)),
          Effect.zipLeft(execute(connection, "COMMIT")),
          Effect.onError(() => Effect.ignore(execute(connection, "ROLLBACK")))
        )
      })
    )
    return yield* Effect.mapError(counts, (error) => (error instanceof SqlError ? storeError(writing)(error) : error))
  })
