/**
 * The schema on PostgreSQL: the tables and columns of SQLite, and the same refusals.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStatus, RunStore } from "charlotte"
import { Effect, Either, Layer } from "effect"
import { migrations as sqliteMigrations } from "../../src/store/sqlite/migrations/index.js"
import { migrations as postgresMigrations } from "../../src/store/postgres/migrations/index.js"
import { columns, insert, type Row, run, update } from "../store/tables.js"
import { id } from "../store/runs.js"
import { layer } from "./store.js"

const sqlite = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: ":memory:" })))

/** Tables of one database only: the row from which cursors are drawn, groups that are to be read again, and what SQLite keeps about its file and full text. */
const ofPostgres = [
  ...["cursor", "one"].map((column) => `charlotte_log.${column}`),
  ...["grp", "kind", "seq"].map((column) => `charlotte_changed_groups.${column}`)
]
const ofSqlite =
  /^charlotte_(generation|search_\w+)\.|^charlotte_search\.(charlotte_search|rank)$|^charlotte_prunings\.unmerged$/

const inSqlite = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ column: string }>`
    SELECT m.name || '.' || c.name AS column FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name LIKE 'charlotte_%' ORDER BY 1`
  return rows.map(({ column }) => column).filter((column) => !ofSqlite.test(column))
}).pipe(Effect.provide(sqlite))

const inPostgres = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ column: string }>`
    SELECT table_name || '.' || column_name AS column FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name LIKE 'charlotte_%'`
  return rows.map(({ column }) => column)
}).pipe(Effect.provide(layer))

const isRefused = <A, E, R>(statement: Effect.Effect<A, E, R>) => Effect.map(Effect.either(statement), Either.isLeft)

describe("the schema on PostgreSQL", () => {
  it("has the migrations of SQLite from version 0.2.0 on, under the same names", () => {
    expect(Object.keys(postgresMigrations)).toEqual(Object.keys(sqliteMigrations).slice(7))
  })

  it.effect("has the tables and columns of that of SQLite", () =>
    Effect.gen(function* () {
      // An integer primary key is the number of the row there, which is no column.
      const rowid = ["charlotte_search.rowid"]
      expect((yield* inPostgres).sort()).toEqual([...(yield* inSqlite), ...ofPostgres, ...rowid].sort())
    })
  )

  it.effect("allows the transitions of the state machine, and no other", () =>
    Effect.gen(function* () {
      const statuses = RunStatus.RunStatus.literals
      const sql = yield* SqlClient.SqlClient
      for (const from of statuses) {
        for (const to of statuses) {
          yield* insert("charlotte_runs", run(from))
          const attempt = (from === "interrupted" || from === "parked") && to === "running" ? 2 : 1
          const refused = yield* isRefused(update("charlotte_runs", { status: to, attempt, ...columns[to] }))
          const allowed = RunStatus.canBecome(from, to) || (from === to && !RunStatus.isTerminal(from))
          expect({ from, to, refused }).toEqual({ from, to, refused: !allowed })
          yield* sql`DELETE FROM charlotte_runs`
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses rows that say what cannot be, and updates of what is final", () =>
    Effect.gen(function* () {
      const rows: ReadonlyArray<Row> = [
        run("running", { id: "x" }),
        run("running", { kind: "" }),
        run("running", { status: "sleeping" }),
        run("pending", { waits_for: null }),
        run("running", { attempt: 0 }),
        run("running", { config: "{" }),
        run("running", { labels: "[]" }),
        run("completed", { result: null }),
        run("failed", { error: null }),
        run("completed", { ended_at: null }),
        run("running", { ended_at: 2 }),
        run("running", { outbox: 1 })
      ]
      for (const row of rows) {
        expect({ row, refused: yield* isRefused(insert("charlotte_runs", row)) }).toEqual({ row, refused: true })
      }
      yield* insert("charlotte_runs", run("running", { key: "a" }))
      expect(yield* isRefused(insert("charlotte_runs", run("running", { id: id(2), key: "a" })))).toBe(true)
      for (const change of [{ attempt: 2 }, { config: "[]" }, { kind: "other" }, { pruned: 1 }, { start_at: 1 }]) {
        expect(yield* isRefused(update("charlotte_runs", change))).toBe(true)
      }
      const event = (seq: number, type: string) => ({ cursor: seq, job_id: id(1), seq, at: 0, type })
      yield* insert("charlotte_events", event(1, "job.started"))
      expect(yield* isRefused(insert("charlotte_events", event(2, "job.completed")))).toBe(true)
      expect(yield* isRefused(update("charlotte_events", { type: "b" }))).toBe(true)
      yield* update("charlotte_runs", { ...columns.completed, status: "completed" })
      expect(yield* isRefused(update("charlotte_runs", { priority: 1 }))).toBe(true)
      yield* insert("charlotte_events", event(2, "job.completed"))
      expect(yield* isRefused(insert("charlotte_events", event(3, "job.completed")))).toBe(true)
    }).pipe(Effect.provide(layer))
  )
})
