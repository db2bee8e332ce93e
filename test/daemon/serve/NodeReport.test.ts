import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { StoreError } from "charlotte/errors"
import { Effect, TestClock } from "effect"
import * as NodeReport from "../../../src/daemon/serve/NodeReport.js"
import { allShards } from "../../../src/store/port/shard.js"

const address = "10.0.0.5:7440"

const node = (n: number) => ({
  id: `${n}`,
  kind: "tasks",
  address: n === 1 ? address : `10.0.0.6:${n}`,
  pid: n,
  machine: "a machine",
  capacity: n
})

const scene = (shards: number) =>
  Effect.map(RunStore.RunStore, ({ cluster }) => ({
    cluster,
    report: NodeReport.make(cluster, { address, shards: () => allShards.slice(0, shards) })
  }))

describe("the report of a node", () => {
  it.effect("has no problem while the node is alive and has shards, or drains", () =>
    Effect.gen(function* () {
      const { cluster, report } = yield* scene(10)
      yield* cluster.join(node(1))
      expect(yield* report.problems).toEqual([])
      const without = NodeReport.make(cluster, { address, shards: () => [] })
      expect(yield* without.problems).toEqual([
        "this node has no share of the jobs yet: it waits for other nodes to let go of theirs"
      ])
      yield* cluster.drain("1", true)
      expect(yield* without.problems).toEqual([])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("says so where the node is not recorded, is late, or cannot be read", () =>
    Effect.gen(function* () {
      const { cluster, report } = yield* scene(10)
      expect(yield* report.problems).toEqual([
        "this node is not recorded in the database: it joins the cluster, or leaves it"
      ])
      yield* cluster.join(node(1))
      yield* TestClock.adjust("7 seconds")
      expect(yield* report.problems).toEqual([
        "this node has given no sign of life for 7 seconds, and lets go of its jobs; see its log"
      ])
      const error = new StoreError({ operation: "list nodes", reason: "unreachable", cause: new Error("it is away") })
      const away = NodeReport.make(
        { ...cluster, nodes: () => error },
        { address, shards: () => allShards.slice(0, 10) }
      )
      expect(yield* away.problems).toEqual([error.message])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("counts the nodes that are alive, and what this one has", () =>
    Effect.gen(function* () {
      const { cluster, report } = yield* scene(150)
      yield* cluster.join(node(2))
      yield* TestClock.adjust("20 seconds")
      yield* cluster.join(node(1))
      yield* cluster.join(node(3))
      yield* cluster.limit({ kind: "tasks", maxJobs: 9 })
      yield* TestClock.adjust("2 seconds")
      expect(yield* report.gauges).toEqual({
        nodes: 2,
        maxJobs: 9,
        capacity: 1,
        running: 0,
        shards: 150,
        leaseAge: 2
      })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
