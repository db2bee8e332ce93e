/**
 * The groups of a kind with 100,000 runs that wait in 10,000 groups, of which 9,000 or all are full: a start and an end read a few rows.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { at, created, id, kind, newRun } from "./runs.js"

const layer = Layer.unwrapScoped(
  Effect.map(TemporaryDirectory.file("test.db"), (filename) =>
    RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename })), Layer.orDie)
  )
)

const statuses = ["interrupted", "parked", "pending"] as const

/** Runs that wait, ten in each group, as a transaction has inserted them, and one that runs in each of the first groups. */
const filled = ({ groups, full }: { readonly groups: number; readonly full: number }) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = (count: number, values: string) =>
      sql.unsafe(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${count})
        INSERT INTO charlotte_runs (id, kind, grp, status, attempt, config, labels, created_at, started_at, waits_for, outbox)
        SELECT ${values} FROM n`)
    const group = `'g' || (i % ${groups})`
    if (full > 0)
      yield* rows(
        full,
        `printf('01ARZ3NDEKTSV4RRFFA%07d', i), '${kind}', ${group}, 'running', 1, '{}', '{}', 1, 1, NULL, 0`
      )
    yield* rows(
      10 * groups,
      `printf('01ARZ3NDEKTSV4RRFFB%07d', i), '${kind}', ${group}, 'pending', 1, '{}', '{}', 1, NULL, 'group', 1`
    )
    const store = yield* RunStore.RunStore
    yield* store.groups.register({ kind, maxPerGroup: 1, isManual: false })
    return store
  })

const due = Effect.flatMap(RunStore.RunStore, (store) => store.due({ kind, statuses, limit: 1 }))

/** Begins and ends so many runs; returns milliseconds for each. */
const cycles = (count: number) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const begun = performance.now()
    for (let n = 0; n < count; n++) {
      const [first] = yield* due
      if (first === undefined) break
      const jobId = first.run.id
      yield* store.begin({ jobId, attempt: 1, key: undefined, at: at(n) })
      yield* store.record({ type: "job.completed", jobId, attempt: 1, at: at(n), result: null })
    }
    return (performance.now() - begun) / count
  })

const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20)

describe("the groups of a kind that registers", () => {
  it.scoped("are settled at most 500 at a time, and only those that its setting changes", () =>
    Effect.gen(function* () {
      const { clear, statements } = yield* FailingSql.FailingSql
      const transactions = Effect.map(
        statements,
        (all) => all.filter((statement) => statement.startsWith("BEGIN")).length
      )
      yield* clear
      const store = yield* filled({ groups: 1_200, full: 3 })
      expect(yield* transactions).toBe(1 + 3)
      expect((yield* store.due({ kind, statuses, limit: 9_999 })).length).toBe(1_197)

      yield* clear
      yield* store.groups.register({ kind, maxPerGroup: 1, isManual: false })
      expect(yield* transactions).toBe(0)

      yield* store.groups.register({ kind, maxPerGroup: 2, isManual: false })
      expect(yield* transactions).toBe(1 + 1)
      expect((yield* store.due({ kind, statuses, limit: 9_999 })).length).toBe(1_200)
    }).pipe(Effect.provide(layer))
  )
})

describe("100,000 runs that wait in 10,000 groups", () => {
  it.effect(
    "are searched by index only, whether most groups are full or all",
    () =>
      Effect.gen(function* () {
        const began = performance.now()
        const store = yield* filled({ groups: 10_000, full: 9_000 })
        const before = mebibytes()
        const { clear, statements } = yield* FailingSql.FailingSql
        yield* clear
        const [first] = yield* due
        expect(first?.run.group).toBe("g9000")
        expect(yield* store.countDue({ kind, statuses, limit: 2_000 })).toBe(1_000)
        const refused = yield* Effect.flip(store.create(newRun(1, { group: "g1" })))
        expect(refused).toMatchObject({ _tag: "MaxJobsReached", reason: "group" })
        yield* created(2, { group: "new" })
        const each = yield* cycles(50)
        const sql = yield* SqlClient.SqlClient
        for (const statement of new Set(yield* statements)) {
          if (!/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)/.test(statement)) continue
          const params = [...statement.matchAll(/\?/g)].map(() => null)
          const plan = yield* sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, params)
          const scans = plan.filter(({ detail }) => /^SCAN (charlotte_(runs|groups|events)|r)\b/.test(detail))
          expect(scans, statement).toEqual([])
        }
        const other = mebibytes()
        process.stdout.write(
          `9,000 of 10,000 groups full: filled in ${Math.round(performance.now() - began)} ms, ${each.toFixed(2)} ms for each start and end, RSS + ${other - before} MiB\n`
        )
        expect(other - before).toBeLessThan(32)

        yield* sql.unsafe(`UPDATE charlotte_runs SET status = 'running', started_at = 1, waits_for = NULL, outbox = 0
          WHERE id IN (SELECT head FROM charlotte_groups WHERE due = 1)`)
        yield* store.groups.register({ kind, maxPerGroup: 1, isManual: false })
        expect(yield* due).toEqual([])
        expect(yield* store.countDue({ kind, statuses, limit: 9 })).toBe(0)
        yield* created(3, { group: "another" })
        const asked = performance.now()
        yield* due
        process.stdout.write(`all groups full: ${(performance.now() - asked).toFixed(2)} ms to find that none is due\n`)
      }).pipe(Effect.provide(layer)),
    600_000
  )

  it.effect("cost each start and end the statements that runs in one group cost", () =>
    Effect.gen(function* () {
      const measured = (scene: Parameters<typeof filled>[0]) =>
        Effect.gen(function* () {
          yield* filled(scene)
          const { clear, statements } = yield* FailingSql.FailingSql
          yield* cycles(2)
          yield* clear
          const millis = yield* cycles(5)
          // Checkpoints come when the log of the file is long enough.
          const own = (yield* statements).filter((statement) => !/wal_checkpoint|charlotte_generation/.test(statement))
          return { millis, each: own.length / 5 }
        }).pipe(Effect.provide(layer))
      const [one, many] = [yield* measured({ groups: 1, full: 0 }), yield* measured({ groups: 2_000, full: 1_800 })]
      process.stdout.write(
        `one group: ${one.millis.toFixed(2)} ms, ${one.each} statements for each start and end; ` +
          `2,000 groups: ${many.millis.toFixed(2)} ms, ${many.each} statements\n`
      )
      expect(many.each).toBeLessThanOrEqual(one.each)
      expect(one.each).toBeGreaterThan(5)
    })
  )

  it.effect(
    "are counted by one statement of each transaction, however many runs of however many groups it starts or begins",
    () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* store.groups.register({ kind, maxPerGroup: 30, isManual: false })
        const { clear, statements } = yield* FailingSql.FailingSql
        const all = Array.from({ length: 40 }, (_, i) => i + 1)
        const group = (n: number) => `${n % 2}`
        const counted = <A, E>(each: (n: number) => Effect.Effect<A, E>) =>
          Effect.gen(function* () {
            yield* clear
            yield* Effect.forEach(all, each, { concurrency: "unbounded" })
            const made = yield* statements
            const count = (pattern: RegExp) => made.filter((statement) => pattern.test(statement)).length
            return {
              transactions: count(/^COMMIT/),
              groups: count(/AS most/),
              pending: count(/FROM charlotte_pending/),
              writes: count(/^(INSERT INTO|UPDATE) charlotte_runs/)
            }
          })
        const queued = yield* counted((n) => store.create(newRun(n, { group: group(n), isQueued: true })))
        expect(queued).toMatchObject({ transactions: 1, groups: 0, pending: 1 })
        expect(queued.writes).toBeLessThan(5)
        expect(
          yield* counted((n) => store.begin({ jobId: id(n), attempt: 1, key: undefined, at: at(100 + n) }))
        ).toMatchObject({ transactions: 1, groups: 1 })
        const started = yield* counted((n) => Effect.exit(store.create(newRun(100 + n, { group: group(n) }))))
        expect(started).toMatchObject({ transactions: 1, groups: 1 })
        expect(yield* store.list({ kind, status: "running" })).toHaveLength(60)
      }).pipe(Effect.provide(layer))
  )

  it.effect("leave a kind without groups with the statements that it has without them", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* clear
      yield* created(1)
      yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(2), result: null })
      expect(
        (yield* statements).filter((statement) => /charlotte_(groups|changed_groups|limits)/.test(statement))
      ).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})
