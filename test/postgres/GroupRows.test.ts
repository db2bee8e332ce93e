/**
 * How many rows the server reads for a start and the end of a job of a group: 100,000 runs wait in 10,000 groups or in one, or 10,000 in 100.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, type Scope } from "effect"
import { at, id, kind, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"

/** How many jobs start and end. */
const cycles = 20

const statuses = ["interrupted", "parked", "pending"] as const

const runner = { node: "node", address: "127.0.0.1:1", capacity: 1_000_000 }

interface Scene {
  /** How many runs wait. */
  readonly waiting: number
  readonly groups: number
  readonly full: number
  readonly inCluster: boolean
}

const opened = (url: string) =>
  Effect.map(Layer.build(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })), Layer.orDie)), (context) =>
    Effect.provide(RunStore.RunStore, context)
  ).pipe(Effect.flatten)

const insert = (runs: number, groups: number, columns: Readonly<Record<string, string>>) => {
  const all = {
    kind: `'${kind}'`,
    grp: `'g' || (i % ${groups})`,
    attempt: "1",
    config: "'{}'",
    labels: "'{}'",
    ...columns
  }
  return `INSERT INTO charlotte_runs (${Object.keys(all).join(", ")})
    SELECT ${Object.values(all).join(", ")} FROM generate_series(0, ${runs - 1}) AS n (i);`
}

/** A database with the runs that wait, as a transaction of an application has inserted them, and one that runs in each of the first groups. */
const filled = ({ full, groups, inCluster, waiting }: Scene): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const url = yield* TestDatabase.make
    yield* Effect.scoped(opened(url))
    const idOf = (series: string) => `'01ARZ3NDEKTSV4RRFF' || '${series}' || lpad(CAST(i AS text), 7, '0')`
    yield* TestDatabase.adminOf(
      url,
      `SET session_replication_role = replica;
       ${insert(full, groups, { id: idOf("A"), status: "'running'", created_at: "1", started_at: "1", outbox: "0" })}
       ${insert(waiting, groups, { id: idOf("B"), status: "'pending'", created_at: "1", waits_for: "'group'", outbox: "1" })}`
    )
    yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* opened(url)
        yield* store.groups.register({ kind, maxPerGroup: 1, isManual: false })
        if (!inCluster) return
        yield* store.cluster.limit({ kind, maxJobs: 2 })
        yield* store.cluster.join({
          ...runner,
          id: runner.node,
          kind,
          pid: 1,
          machine: "m",
          url: undefined,
          definitions: undefined
        })
      })
    )
    yield* TestDatabase.adminOf(url, "VACUUM ANALYZE")
    return url
  }).pipe(Effect.orDie)

/** The rows and index entries that ended connections have read, once all have ended. */
const read = (url: string) =>
  Effect.gen(function* () {
    const others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    yield* Effect.repeat(Effect.zipLeft(TestDatabase.rowsOf(url, others), Effect.sleep(20)), {
      until: ({ length }) => length === 0
    })
    const [row] = yield* TestDatabase.rowsOf(
      url,
      `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes) AS rows`
    )
    return Number(row?.["rows"])
  })

/** Starts so many jobs, each of which begins in its turn and ends. */
const work =
  (count: number, { inCluster }: Scene) =>
  (url: string) =>
    Effect.gen(function* () {
      const store = yield* opened(url)
      const { due } = yield* store.waiting(kind)
      const next = Effect.gen(function* () {
        for (;;) {
          const version = yield* due.version
          const [first] = yield* store.due({ kind, statuses, limit: 1, ...(inCluster && { version: "v" }) })
          if (first !== undefined) return first.run.id
          yield* due.changed(version)
        }
      })
      for (let n = 0; n < count; n++) {
        yield* store.create(newRun(n, { id: id(n), group: `g${n}`, isQueued: true }))
        const jobId = yield* next
        const beginning = { jobId, attempt: 1, key: undefined, at: at(n) }
        if (inCluster) {
          yield* store.cluster.next({ kind, statuses, version: "v", shards: [1] })
          yield* store.cluster.renew(runner.node)
          yield* store.cluster.begin(beginning, runner)
        } else yield* store.begin(beginning)
        yield* store.record({ type: "job.completed", jobId, attempt: 1, at: at(n), result: null })
      }
    }).pipe(Effect.scoped, Effect.orDie)

const measured = (scene: Scene) =>
  Effect.gen(function* () {
    const url = yield* filled(scene)
    const counts: Array<number> = []
    for (const count of [0, cycles]) {
      const before = yield* read(url)
      yield* work(count, scene)(url)
      counts.push((yield* read(url)) - before)
    }
    const [idle = 0, busy = 0] = counts
    return Math.round((busy - idle) / cycles)
  })

describe("a start and an end of a job of one of 10,000 groups", () => {
  for (const [where, many] of [
    ["of which 9,000 are full", { waiting: 100_000, groups: 10_000, full: 9_000, inCluster: false }],
    ["on a node, with room in all", { waiting: 100_000, groups: 10_000, full: 0, inCluster: true }]
  ] as const)
    it.scopedLive(`reads at most twice the rows that it reads with one group, ${where}`, () =>
      Effect.gen(function* () {
        const one = yield* measured({ ...many, groups: 1, full: 0 })
        const rows = yield* measured(many)
        process.stdout.write(`groups: ${rows} rows read for each start and end of 10,000 groups, ${one} of one\n`)
        expect(rows).toBeLessThanOrEqual(2 * one)
      })
    )
})

describe("a start and an end of a job on a node, of a group of 100, among 10,000 runs", () => {
  it.scopedLive("read their rows by indexes: no table is read whole, although it is small", () =>
    Effect.gen(function* () {
      const rows = yield* measured({ waiting: 10_000, groups: 100, full: 0, inCluster: true })
      process.stdout.write(`groups: ${rows} rows read for each start and end among 10,000 runs\n`)
      expect(rows).toBeLessThan(1_000)
    })
  )
})
