/**
 * The records of nodes that have been dead for long.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, TestClock } from "effect"
import { kind } from "./runs.js"

const node = (address: string) => ({ id: `${address}/1`, kind, address, pid: 1, machine: "a machine", capacity: 2 })

/** A node joins a day after one of another address was last seen, and another an hour less. */
const addresses = (isSeen: (address: string, hoursAgo: number) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const { cluster } = yield* RunStore.RunStore
    yield* cluster.join(node("a:1"))
    yield* isSeen("a:1", 24)
    yield* cluster.join(node("b:1"))
    yield* isSeen("b:1", 23)
    yield* cluster.join(node("c:1"))
    return (yield* cluster.nodes(kind)).map(({ address }) => address)
  })

describe("a node that joins", () => {
  it.effect("forgets nodes that have been dead for a day, in a database", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const isSeen = (address: string, hoursAgo: number) =>
        Effect.orDie(
          sql`UPDATE charlotte_nodes SET seen_at = seen_at - ${hoursAgo * 3_600_000} WHERE address = ${address}`
        )
      expect(yield* addresses(isSeen)).toEqual(["b:1", "c:1"])
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename: ":memory:" })))))
  )

  it.effect("forgets nodes that have been dead for a day, in memory", () =>
    Effect.gen(function* () {
      const found = yield* addresses((address) => TestClock.adjust(address === "a:1" ? "1 hours" : "23 hours"))
      expect(found).toEqual(["b:1", "c:1"])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
