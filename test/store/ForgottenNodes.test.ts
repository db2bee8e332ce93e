/**
 * The records of nodes that have been dead for long.
 */
import { expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, TestClock } from "effect"
import { kind } from "./runs.js"

const node = (address: string) => ({ id: `${address}/1`, kind, address, pid: 1, machine: "a machine", capacity: 2 })

it.effect(
  "a node that joins forgets nodes that have been dead for a day, and none that has been for an hour less",
  () =>
    Effect.gen(function* () {
      const { cluster } = yield* RunStore.RunStore
      yield* cluster.join(node("a:1"))
      yield* TestClock.adjust("1 hours")
      yield* cluster.join(node("b:1"))
      yield* TestClock.adjust("23 hours")
      yield* cluster.join(node("c:1"))
      expect((yield* cluster.nodes(kind)).map(({ address }) => address)).toEqual(["b:1", "c:1"])
    }).pipe(Effect.provide(RunStore.layerMemory))
)
