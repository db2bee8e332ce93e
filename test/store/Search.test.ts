/**
 * The search index of the SQLite store.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, identity, Layer, Option, Schedule } from "effect"
import * as Redaction from "../../src/internal/Redaction.js"
import * as SearchRedaction from "../../src/store/rules/SearchRedaction.js"
import { openSession } from "../../src/store/openSession.js"
import * as searchIndex from "../../src/store/sql/searchIndex.js"
import * as FailingSql from "../support/FailingSql.js"
import { searching } from "./conformance/searching.js"
import { at, created, error, id, kind } from "./runs.js"

const layer = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

/** Indexes what was written, with so many runs in a partition. */
const index = (size: number, limit = 10_000, redact: SearchRedaction.SearchRedaction["Type"] = identity) =>
  Effect.flatMap(openSession, ({ reserve }) =>
    reserve((connection) => searchIndex.indexNext(connection, limit, redact, size))
  )

const indexedWith = (size: number) =>
  Layer.effect(
    RunStore.RunStore,
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const sql = yield* SqlClient.SqlClient
      const indexed = Effect.provideService(Effect.orDie(index(size)), SqlClient.SqlClient, sql)
      return {
        ...store,
        list: (query) => Effect.zipRight(indexed, store.list(query)),
        page: (query) => Effect.zipRight(indexed, store.page(query))
      } satisfies RunStore.RunStore["Type"]
    })
  ).pipe(Layer.provide(RunStore.layer), Layer.provide(Database.layer({ filename: ":memory:" })), Layer.orDie)

describe("RunStore.layer with all runs indexed, in partitions of 2", () => {
  searching(indexedWith(2))
})

describe("RunStore.layer with all runs indexed, in one partition", () => {
  searching(indexedWith(1_000))
})

const query = <A extends object>(statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<A>(statement))

const found = (q: string, query: RunStore.RunQuery = {}) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(store.list({ ...query, q }), (runs) => runs.map(({ id }) => id))
  )

/** The `n` from `first` on as runs of the past; each hundredth has failed, and every one has its number as a word. */
const history = (first: number, runs: number) =>
  query(`
    WITH RECURSIVE n (n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM n WHERE n < ${first + runs - 1})
    INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, result, error)
    SELECT '01ARZ3NDEKTSV4RRFFQ70' || n, 'tasks', iif(n % 100 = 0, 'failed', 'completed'), 1,
      json_array('common', 'word' || n, 'third' || (n % 3), 'seventh' || (n % 7)), json_object('team', 'web', iif(n < 22000, 'old', 'new'), 'yes'), 0, 0, 0,
      iif(n % 100 = 0, NULL, '1'), iif(n % 100 = 0, '{"kind":"failure","error":"broken","cause":"it broke"}', NULL) FROM n`)

const pastId = (n: number) => `01ARZ3NDEKTSV4RRFFQ70${n}`

describe("search", () => {
  it.effect("keeps the order of ids, whatever the order in which runs are recorded and indexed", () =>
    Effect.gen(function* () {
      const order = [5, 9, 1, 7, 20, 3, 15, 8, 2, 30, 4, 25, 6]
      for (const [i, n] of order.entries()) {
        yield* created(n, { config: "same" })
        if (i % 2 === 1) yield* index(3)
        const expected = order.slice(0, i + 1).sort((a, b) => b - a)
        expect(yield* found("same")).toEqual(expected.map(id))
        expect(yield* found("same", { limit: 2 })).toEqual(expected.slice(0, 2).map(id))
        expect(yield* found("same", { before: id(8) })).toEqual(expected.filter((n) => n < 8).map(id))
      }
      expect(yield* query("SELECT * FROM charlotte_partitions")).not.toHaveLength(1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("indexes a run again with its error, and drops what is deleted", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* created(1, { config: "first" })
      yield* created(2, { config: "first" })
      yield* index(10)
      yield* store.record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(9), error })
      expect(yield* found("first wrong")).toEqual([id(1)])
      expect(yield* index(10)).toBe(1)
      expect(yield* found("first wrong")).toEqual([id(1)])
      expect(yield* found("first")).toEqual([id(2), id(1)])
      yield* query(`DELETE FROM charlotte_runs WHERE id = '${id(1)}'`)
      expect(yield* found("first")).toEqual([id(2)])
      yield* created(3, { config: "first" })
      yield* query("DELETE FROM charlotte_runs")
      for (const table of ["charlotte_documents", "charlotte_unindexed"]) {
        expect(yield* query(`SELECT * FROM ${table}`)).toEqual([])
      }
      expect(yield* query("SELECT * FROM charlotte_search('000*')")).toEqual([])
      yield* query("INSERT INTO charlotte_search (charlotte_search) VALUES ('integrity-check')")
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves no trace of a run whose transaction is rolled back", () =>
    Effect.gen(function* () {
      const { clear, set } = yield* FailingSql.FailingSql
      yield* set({ from: 1, to: 9, matching: /^INSERT INTO charlotte_events/ })
      yield* Effect.flip(created(1, { config: "lost" }))
      yield* clear
      expect(yield* query("SELECT * FROM charlotte_unindexed")).toEqual([])
      expect(yield* found("lost")).toEqual([])
    }).pipe(Effect.provide(layer))
  )

  it.effect("answers with short pages instead of reading the whole history, and misses none", () =>
    Effect.gen(function* () {
      const { page } = yield* RunStore.RunStore
      yield* history(10_000, 24_000)
      while ((yield* index(4_096, 4_096)) > 0);
      const pages = (query: RunStore.RunQuery) =>
        Effect.gen(function* () {
          const pages: Array<ReadonlyArray<string>> = []
          for (let before: RunStore.RunQuery["before"], more = true; more;) {
            const { next, runs } = yield* page({ ...query, ...(before && { before }) })
            pages.push(runs.map(({ id }) => id))
            before = Option.getOrUndefined(next)
            more = before !== undefined
          }
          return pages
        })
      const all = (yield* pages({ q: "common word1", status: "completed", limit: 1_000 })).flat()
      expect(all).toHaveLength(9_900)
      expect(all).toEqual([...new Set(all)].sort().toReversed())
      // No run has both labels, and each of them is common.
      const short = yield* pages({ q: "common", labels: { old: "yes", new: "yes" } })
      expect(short.flat()).toEqual([])
      expect(short.length).toBeGreaterThan(1)
      expect((yield* page({ q: "nowhere third0 common" })).next).toEqual(Option.none())
      expect(yield* found("third0 seventh0 common", { limit: 3 })).toEqual([33_999, 33_978, 33_957].map(pastId))
    }).pipe(Effect.provide(layer))
  )

  it.effect("finds the few runs of a status at once, wherever they are", () =>
    Effect.gen(function* () {
      const { page } = yield* RunStore.RunStore
      yield* created(1, { config: "common" })
      yield* history(10_000, 24_000)
      while ((yield* index(4_096, 4_096)) > 0);
      const running = yield* page({ q: "comm", status: "running", limit: 10 })
      expect(running).toMatchObject({ runs: [{ id: id(1) }], next: Option.none() })
      const failed = yield* page({ q: "common broken", status: "failed", kind, labels: { team: "web" }, limit: 1_000 })
      expect(failed.runs).toHaveLength(240)
      expect(failed.next).toEqual(Option.none())
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads by indexes only", () =>
    Effect.gen(function* () {
      const { clear, statements } = yield* FailingSql.FailingSql
      const sql = yield* SqlClient.SqlClient
      yield* history(10_000, 9_000)
      while ((yield* index(1_000, 4_096)) > 0);
      for (const filters of [
        {},
        { kind },
        { status: "failed" as const },
        { kind, labels: { team: "web" } },
        { before: id(9) }
      ]) {
        yield* clear
        yield* found("common seventh1 absent", filters)
        yield* found("common seventh1", filters)
        const executed = (yield* statements).filter((statement) => statement.includes("charlotte_"))
        for (const statement of new Set(executed)) {
          const params = statement.match(/\?/g)?.map(() => null) ?? []
          const plan = yield* sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, params)
          // The tables that are read whole: JSON arrays, and what is not indexed yet.
          const bad = plan.filter(({ detail }) =>
            /^SCAN (?!\(subquery|m VIRTUAL|t VIRTUAL|ids VIRTUAL|s VIRTUAL TABLE INDEX \d+:M|u$|f$|json_each)/.test(
              detail
            )
          )
          expect({ statement, bad }).toEqual({ statement, bad: [] })
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("indexes what a migration or a killed process has left in the background, and finds it meanwhile", () =>
    Effect.gen(function* () {
      yield* history(10_000, 4_200)
      expect(yield* query("SELECT count(*) AS n FROM charlotte_unindexed")).toEqual([{ n: 4_200 }])
      yield* Effect.gen(function* () {
        expect(yield* found("word14199 common")).toEqual([pastId(14_199)])
        const left = query<{ n: number }>("SELECT count(*) AS n FROM charlotte_unindexed")
        yield* Effect.repeat(left, { until: ([row]) => row?.n === 0, schedule: Schedule.spaced("10 millis") }).pipe(
          Effect.timeout("2 minutes")
        )
        expect(yield* found("word10000 common")).toEqual([pastId(10_000)])
      }).pipe(Effect.provide(Layer.fresh(RunStore.layer)))
    }).pipe(Effect.provide(layer))
  )

  it.effect("answers with short pages while very many runs are not indexed, and misses none", () =>
    Effect.gen(function* () {
      const { page } = yield* RunStore.RunStore
      yield* history(10_000, 14_000)
      // Some of the oldest are indexed.
      yield* index(1_000, 2_500)
      const pages = Effect.fnUntraced(function* (query: RunStore.RunQuery) {
        const pages: Array<ReadonlyArray<string>> = []
        for (let before: RunStore.RunQuery["before"], more = true; more;) {
          const { next, runs } = yield* page({ ...query, ...(before && { before }) })
          pages.push(runs.map(({ id }) => id))
          before = Option.getOrUndefined(next)
          more = before !== undefined
        }
        return pages
      })
      const all = (yield* pages({ q: "common", limit: 1_000 })).flat()
      expect(all).toEqual(Array.from({ length: 14_000 }, (_, i) => pastId(23_999 - i)))
      const rare = yield* pages({ q: "word10001" })
      expect(rare.flat()).toEqual([pastId(10_001)])
      expect(rare.length).toBeGreaterThan(2)
      expect((yield* pages({ q: "word13000", status: "completed" })).flat()).toEqual([])
      expect((yield* pages({ q: "word13000", status: "failed" })).flat()).toEqual([pastId(13_000)])
      expect((yield* pages({ q: "nowhere" })).flat()).toEqual([])
    }).pipe(Effect.provide(layer))
  )

  describe("of runs that were recorded without redaction", () => {
    const redaction = Redaction.make(["hunter2secret"])
    const redacted = RunStore.layer.pipe(
      Layer.provideMerge(Layer.succeed(SearchRedaction.SearchRedaction, SearchRedaction.make(redaction))),
      Layer.provideMerge(FailingSql.layer({ filename: ":memory:" }))
    )
    for (const [when, indexed] of [
      ["before they are indexed", Effect.void],
      ["once they are indexed", index(1_000, 10_000, SearchRedaction.make(redaction))]
    ] as const) {
      it.effect(`finds no secret ${when}`, () =>
        Effect.gen(function* () {
          yield* created(1, { config: { token: "hunter2secret", to: "ann" }, labels: { hunter2secret: "x" } })
          yield* query(`UPDATE charlotte_runs SET status = 'failed', ended_at = 9,
            error = '{"kind":"failure","error":["hunter2secret"],"cause":"the token hunter2secret"}'`)
          yield* indexed
          expect(yield* found("hunter2")).toEqual([])
          expect(yield* found("redacted ann the token")).toEqual([id(1)])
        }).pipe(Effect.provide(redacted))
      )
    }
  })

  it.live("indexes runs while it goes on, so that few are searched one by one", () =>
    Effect.gen(function* () {
      for (let n = 1; n <= 600; n++) yield* created(n, { config: "many" })
      const left = query<{ n: number }>("SELECT count(*) AS n FROM charlotte_unindexed")
      const few = Effect.repeat(left, { until: ([row]) => row !== undefined && row.n < 256 })
      yield* few.pipe(Effect.timeout("2 minutes"))
      expect(yield* found("many", { limit: 1_000 })).toHaveLength(600)
    }).pipe(Effect.provide(layer))
  )
})
