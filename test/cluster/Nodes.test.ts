import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Nodes } from "charlotte/cluster"
import { Effect, Option } from "effect"
import * as Scene from "./scene.js"

const { kind } = Scene

describe("the nodes of a cluster", () => {
  it.scoped("take no new jobs while they are drained, and can be waited for", () =>
    Effect.gen(function* () {
      const { complete, node, passing, until, working } = yield* Scene.make
      const [a, b] = [yield* node("a"), yield* node("b")]
      const id = yield* passing(a.manager.start({ name: "job" }))
      yield* until("it works", working, (all) => all.some(({ address }) => address === a.address))
      yield* Nodes.drain({ kind, address: a.address })
      expect((yield* Nodes.list(kind)).map(({ address, isDraining }) => [address, isDraining])).toEqual([
        [a.address, true],
        [b.address, false]
      ])
      const idle = yield* Effect.fork(Nodes.untilIdle({ kind, address: a.address }))
      yield* passing(Effect.sleep("2 seconds"))
      expect(Option.isNone(yield* idle.poll)).toBe(true)
      for (const name of ["first", "second"]) yield* passing(a.manager.start({ name }))
      yield* until(
        "they work on the other node",
        working,
        (all) => all.filter(({ address }) => address === b.address).length === 2
      )
      yield* complete(id)
      yield* passing(idle.await)
      yield* Nodes.drain({ kind, address: a.address }, { undo: true })
      expect((yield* Nodes.list(kind)).some(({ isDraining }) => isDraining)).toBe(false)
      const unknown = yield* Effect.flip(Nodes.drain({ kind, address: "c:1" }))
      expect(unknown).toMatchObject({ _tag: "NodeNotFound", address: "c:1" })
      yield* Nodes.untilIdle({ kind, address: "c:1" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("run as many jobs as was set last", () =>
    Effect.gen(function* () {
      const { node, passing } = yield* Scene.make
      expect(yield* Nodes.limit(kind)).toEqual(Option.none())
      const { manager } = yield* node("a")
      expect(yield* Nodes.limit(kind)).toEqual(Option.some(4))
      yield* Nodes.setLimit({ kind, maxJobs: 1 })
      expect(yield* Nodes.limit(kind)).toEqual(Option.some(1))
      yield* passing(manager.start({ name: "job" }))
      expect(yield* Effect.flip(passing(manager.start({ name: "another" })))).toMatchObject({ _tag: "MaxJobsReached" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
