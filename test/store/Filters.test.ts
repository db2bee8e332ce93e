/**
 * No combination of filters scans the whole history.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, Layer, Option } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { at, created, id, kind } from "./runs.js"

const layer = RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))

const kinds: ReadonlyArray<RunStore.RunQuery> = [{}, { kind }]
/** Every combination of filters. */
const queries = kinds
  .flatMap((query) => [query, { ...query, status: "running" as const }])
  .flatMap((query) => [query, { ...query, labels: { a: "x" } }, { ...query, labels: { a: "x", b: "y", c: "z" } }])
  .flatMap((query) => [query, { ...query, before: id(9) }])
  .flatMap((query) => [query, { ...query, retried: false }])

/** The order of the queue, and after a run that waits for a permit, for a time and behind a key. */
const queueQueries: ReadonlyArray<RunStore.RunQuery> = [{}, ...[1, 2, 3].map((n) => ({ before: id(n) }))].map(
  (query) => ({
    ...query,
    kind,
    status: "pending",
    order: "queue"
  })
)

const waiting = Effect.gen(function* () {
  yield* created(0, { key: "k" })
  yield* created(1, { isQueued: true })
  yield* created(2, { startAt: at(1_000) })
  yield* created(3, { key: "k", whenKeyTaken: "queue" })
})

/** 20,000 runs; nearly all have completed and have the first label. */
const history = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`
    WITH RECURSIVE n (n) AS (SELECT 10000 UNION ALL SELECT n + 1 FROM n WHERE n < 29999)
    INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, result)
    SELECT '01ARZ3NDEKTSV4RRFFQ70' || n, iif(n % 10 = 0, 'other', 'tasks'), 'completed', 1, '{}',
      CASE n % 100 WHEN 0 THEN '{}' WHEN 1 THEN '{"a":"x","b":"y","c":"z"}' ELSE '{"a":"x","b":"n"}' END, 0, 0, 0, '1' FROM n`)
})

/** The query plans of the statements of the store. */
const plans = (query: RunStore.RunQuery) => plansOf((store) => store.page(query))

const plansOf = <A, E>(read: (store: RunStore.Service) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const sql = yield* SqlClient.SqlClient
    const { clear, statements } = yield* FailingSql.FailingSql
    yield* clear
    yield* read(store)
    const queries = (yield* statements).filter((statement) => statement.includes("charlotte_"))
    const rows = yield* Effect.forEach(queries, (statement) => {
      const params = statement.match(/\?/g)?.map(() => null) ?? []
      return sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, params)
    })
    return rows.flat().map(({ detail }) => detail)
  })

describe("store.backlog", () => {
  it.effect("is a few searches in an index, whatever the number of runs", () =>
    Effect.gen(function* () {
      yield* history
      yield* waiting
      const details = yield* plansOf((store) => store.backlog("tasks"))
      expect(details.filter((detail) => detail.includes("charlotte_runs"))).toEqual([
        "SEARCH charlotte_runs USING COVERING INDEX charlotte_runs_kind_status (kind=? AND status=?)",
        "SEARCH charlotte_runs USING COVERING INDEX charlotte_runs_kind_status (kind=? AND status=?)"
      ])
    }).pipe(Effect.provide(layer))
  )
})

describe("store.countByStatus", () => {
  it.effect("is a search in an index for each status, and counts up to 1,000 ended runs of each", () =>
    Effect.gen(function* () {
      yield* history
      yield* waiting
      const details = yield* plansOf((store) => store.countByStatus("tasks"))
      expect(details.filter((detail) => /^SCAN (?!limited|CONSTANT ROW)|TEMP B-TREE/.test(detail))).toEqual([])
      const store = yield* RunStore.RunStore
      expect(yield* store.countByStatus("tasks")).toMatchObject({ completed: 1_000, pending: 3, running: 1, failed: 0 })
    }).pipe(Effect.provide(layer))
  )
})

describe("store.page", () => {
  for (const analyzed of [false, true]) {
    it.effect(`uses an index for every combination of filters${analyzed ? ", also after ANALYZE" : ""}`, () =>
      Effect.gen(function* () {
        yield* history
        yield* waiting
        if (analyzed) yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("ANALYZE"))
        for (const query of [...queries, ...queueQueries]) {
          const details = yield* plans(query)
          expect(details).not.toEqual([])
          // A subquery is already limited.
          const bad = details.filter((detail) => /^SCAN (?!\(subquery|limited)|TEMP B-TREE/.test(detail))
          expect({ query, bad, details }).toEqual({ query, bad: [], details })
        }
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("scans at most 10,000 runs for those that are retried, and returns where the next page starts", () =>
    Effect.gen(function* () {
      yield* history
      const { page } = yield* RunStore.RunStore
      const first = yield* page({ retried: true, limit: 10 })
      expect([first.runs, first.next]).toEqual([[], Option.some("01ARZ3NDEKTSV4RRFFQ7020000")])
      const rest = yield* page({ retried: true, limit: 10, before: Option.getOrThrow(first.next) })
      expect([rest.runs, rest.next]).toEqual([[], Option.some("01ARZ3NDEKTSV4RRFFQ7010000")])
      const others = yield* page({ retried: false, limit: 10 })
      expect([others.runs.length, others.next]).toEqual([10, Option.some("01ARZ3NDEKTSV4RRFFQ7029990")])
    }).pipe(Effect.provide(layer))
  )

  it.effect("scans at most 10,000 runs of the rarest of several labels, and returns where the next page starts", () =>
    Effect.gen(function* () {
      yield* history
      const { page } = yield* RunStore.RunStore
      yield* created(1, { labels: { a: "x", b: "n", c: "rare" } })
      expect((yield* page({ labels: { a: "x", b: "n", c: "rare" } })).runs).toHaveLength(1)

      yield* created(2, { labels: { a: "x", b: "n", d: "1" } })
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(
        "INSERT INTO charlotte_labels SELECT 'd', '1', run_id, kind, status FROM charlotte_labels WHERE name = 'a' AND run_id > '01ARZ3NDEKTSV4RRFFQ7'"
      )
      yield* sql.unsafe("DELETE FROM charlotte_labels WHERE name = 'b' AND run_id > '01ARZ3NDEKTSV4RRFFQ7015'")
      const labels = { a: "x", b: "n", d: "1" }
      const found: Array<string> = []
      const sizes: Array<number> = []
      for (let before: RunStore.RunQuery["before"], more = true; more;) {
        const { next, runs } = yield* page({ labels, limit: 1_000, ...(before && { before }) })
        found.push(...runs.map(({ id }) => id))
        sizes.push(runs.length)
        before = Option.getOrUndefined(next)
        more = before !== undefined
      }
      const [row] = yield* sql.unsafe<{ n: number }>(
        "SELECT count(*) AS n FROM charlotte_runs WHERE labels LIKE '%\"b\":\"n\"%' AND id < '01ARZ3NDEKTSV4RRFFQ7015' AND id <> ?",
        [id(1)]
      )
      expect(found).toHaveLength(row?.n ?? 0)
      expect(new Set(found).size).toBe(found.length)
      expect([...found].sort().reverse()).toEqual(found)
      expect(sizes.length).toBeGreaterThan(2)
    }).pipe(Effect.provide(layer))
  )
})
