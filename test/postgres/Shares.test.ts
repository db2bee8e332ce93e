/** The search of a node for the runs of its share, on filled tables: whatever other nodes have, it reads a few rows by an index. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, Option, Schema } from "effect"
import { allShards, shardOf } from "../../src/store/port/shard.js"
import { shardBy } from "../../src/store/sql/shardBy.js"
import { nextOf } from "../../src/store/sql/shares.js"
import { kind } from "../store/runs.js"
import { layer } from "./store.js"

const statuses = ["interrupted", "parked", "pending"] as const
const share = allShards.filter((shard) => shard % 3 === 0)
const shardIn = shardBy("strpos")

interface Plan {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Actual Rows": number
  readonly "Actual Loops": number
  readonly "Rows Removed by Filter"?: number
  readonly Plans?: ReadonlyArray<Plan>
}

const Plan: Schema.Schema<Plan> = Schema.Struct({
  "Node Type": Schema.String,
  "Relation Name": Schema.optionalWith(Schema.String, { exact: true }),
  "Actual Rows": Schema.Number,
  "Actual Loops": Schema.Number,
  "Rows Removed by Filter": Schema.optionalWith(Schema.Number, { exact: true }),
  Plans: Schema.optionalWith(Schema.Array(Schema.suspend(() => Plan)), { exact: true })
})

const Explained = Schema.Tuple(
  Schema.Struct({
    "QUERY PLAN": Schema.Tuple(Schema.Struct({ Plan, "Planning Time": Schema.Number, "Execution Time": Schema.Number }))
  })
)

const nodesOf = (plan: Plan): ReadonlyArray<Plan> => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]

/** Plans and runs the search. Returns how many rows of a table it has read, by indexes only, and how long it took. */
const explained = (table: "charlotte_events" | "charlotte_runs" | "charlotte_groups") =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const numbers = "(SELECT CAST(value AS bigint) AS value FROM jsonb_array_elements_text(CAST(? AS jsonb)))"
    let n = 0
    const search = { kind, statuses, shards: share, version: "1" }
    const [text, params] = nextOf({ numbers, shardOf: shardIn }, search)
    const statement = text.replaceAll("?", () => `$${++n}`)
    const [row] = yield* Effect.flatMap(
      sql.unsafe(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`, params),
      Schema.decodeUnknown(Explained)
    )
    const [{ "Execution Time": execution, Plan, "Planning Time": planning }] = row["QUERY PLAN"]
    const nodes = nodesOf(Plan)
    const reads = nodes.filter((node) => node["Relation Name"] === table)
    expect(reads.filter((node) => node["Node Type"] === "Seq Scan")).toEqual([])
    const rows = reads.reduce(
      (all, node) => all + (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"],
      0
    )
    return { rows, loops: Math.max(...nodes.map((node) => node["Actual Loops"])), millis: planning + execution }
  })

/** Inserts due runs of one third of the shards, or of the others, as transactions have inserted them. */
const filled = (prefix: string, count: number, isOwn: boolean, column = "NULL, 'permit'") =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.unsafe(`INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, priority, outbox, grp, waits_for)
      SELECT id, '${kind}', 'pending', 1, '{}', '{}', 1, ${isOwn ? 0 : 5}, 1, ${column}
      FROM (SELECT '01ARZ3NDEKTSV4RRFF${prefix}' || lpad(CAST(i AS text), 7, '0') AS id, i FROM generate_series(1, ${4 * count}) AS i) AS made
      WHERE (${shardIn("id")} % 3 = 0) = ${isOwn} ORDER BY id LIMIT ${count}`)
  )

const next = Effect.flatMap(RunStore.RunStore, ({ cluster }) =>
  cluster.next({ kind, statuses, version: "1", shards: share })
)

describe("the search of a node in tables of which PostgreSQL has no statistics yet", () => {
  it.effect("searches no shard if no run is due, as every idle node does twice a second", () =>
    Effect.gen(function* () {
      yield* RunStore.RunStore
      const { loops, millis } = yield* explained("charlotte_events")
      expect(loops).toBe(1)
      process.stdout.write(`a share of 100 shards of an idle kind: ${millis.toFixed(1)} ms\n`)
    }).pipe(Effect.provide(layer))
  )

  it.effect("searches each shard once, however many runs wait", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* filled("E", 180, true, "'g' || i % 12, 'group'")
      yield* store.groups.register({ kind, maxPerGroup: 2, isManual: false })
      const { loops } = yield* explained("charlotte_events")
      expect(loops).toBeLessThan(4 * share.length)
      expect(Option.isSome(yield* next)).toBe(true)
    }).pipe(Effect.provide(layer))
  )
})

describe("the search of a node, with 100,000 due runs of other nodes before ten of its own", () => {
  it.effect(
    "reads one row for each of its shards at the most",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* filled("A", 100_000, false)
        yield* sql.unsafe("ANALYZE charlotte_runs")
        const none = yield* explained("charlotte_runs")
        expect(none.rows).toBeLessThanOrEqual(1)
        expect(yield* next).toEqual(Option.none())
        yield* filled("B", 10, true)
        const some = yield* explained("charlotte_runs")
        expect(some.rows).toBeLessThan(2 * share.length)
        const found = Option.getOrThrow(yield* next)
        expect(share).toContain(shardOf(found.run.id))
        process.stdout.write(
          `a share of 100 shards: ${none.millis.toFixed(1)} ms with no due run, ${some.millis.toFixed(1)} ms with ten, behind 100,000\n`
        )
      }).pipe(Effect.provide(layer)),
    300_000
  )

  it.effect(
    "skips groups of others by an index",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const store = yield* RunStore.RunStore
        yield* filled("C", 10_000, false, "'g' || i, 'group'")
        yield* filled("D", 10, true, "'own ' || i, 'group'")
        yield* store.groups.register({ kind, maxPerGroup: 1, isManual: false })
        yield* sql.unsafe("ANALYZE charlotte_runs, charlotte_groups")
        const { millis, rows } = yield* explained("charlotte_groups")
        expect(rows).toBeLessThan(2 * share.length)
        process.stdout.write(`10,000 groups of other nodes: ${millis.toFixed(1)} ms, ${rows} rows\n`)
        expect(share).toContain(shardOf(Option.getOrThrow(yield* next).run.id))
      }).pipe(Effect.provide(layer)),
    300_000
  )
})
