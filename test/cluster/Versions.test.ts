import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { Array, Duration, Effect, Option, Schema } from "effect"
import { RefusalTime } from "../../src/cluster/refusals.js"
import { versionOf } from "../../src/cluster/versionOf.js"
import { id, newRun } from "../store/runs.js"
import * as Scene from "./scene.js"

const { kind } = Scene

/** The version in which a name begins with `new`. */
const next = { config: Schema.Struct({ name: Schema.String.pipe(Schema.startsWith("new")) }) }

const old = { name: "old" }

/** Queues `count` runs of the old version. */
const queued = (count: number, priority = 0) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.forEach(Array.range(1, count), (n) =>
      Effect.as(store.create({ ...newRun(n, { config: old, priority, isQueued: true }), kind }), id(n))
    )
  )

describe("a run that a node cannot decode", () => {
  it.scoped("is begun by a node of another version, regardless of its shard, and does not fail", () =>
    Effect.gen(function* () {
      const { node, passing, store, until } = yield* Scene.make
      const a = yield* node("a", { maxJobs: 20 })
      const b = yield* node("b", { ...next, maxJobs: 20 })
      const waiting = yield* queued(6)
      const placed = yield* passing(Effect.forEach(Array.range(1, 6), () => a.manager.start(old)))
      const ids = [...waiting, ...placed]
      yield* until("all run on the old node", store.cluster.held(kind), (held) =>
        ids.every((id) => held.some((one) => one.run.id === id && one.address === a.address))
      )
      expect((yield* store.list({ kind, status: "failed" })).length).toBe(0)
      // The other node lists them, and has no value for their configurations.
      expect(yield* b.manager.list).toEqual(expect.arrayContaining(ids))
      expect(yield* Effect.forEach(ids, b.manager.get)).toEqual(ids.map(() => Option.none()))
      const run = yield* passing(b.manager.start({ name: "new" }))
      yield* until(
        "a new one runs",
        store.get(run),
        Option.exists(({ status }) => status === "running")
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped(
    "fails with its decoding error once it has waited ten minutes for another version, even if one is alive",
    () =>
      Effect.gen(function* () {
        const { node, pass, passing, store, until } = yield* Scene.make
        // It has the version that decodes it, and no room.
        const a = yield* node("a", { maxJobs: 4, capacity: 1 })
        yield* passing(a.manager.start(old))
        const b = yield* node("b", { ...next, maxJobs: 4 })
        const jobId = Array.range(1, 64).map(id).find(b.engine.hasShard)
        if (jobId === undefined) return yield* Effect.dieMessage("the node has no shard")
        yield* store.create({ ...newRun(1, { config: old, isQueued: true }), id: jobId, kind })
        const refused = Effect.map(store.get(jobId), Option.getOrThrow)
        yield* until("it is refused", refused, ({ refusedBy }) => refusedBy !== undefined)
        yield* pass(9_000)
        expect(yield* refused).toMatchObject({ status: "pending", waitsFor: "permit" })
        yield* until("it has failed", refused, ({ status }) => status === "failed")
        const { error } = yield* refused
        expect(error).toMatchObject({
          kind: "recovery",
          error: expect.stringMatching(/^invalid job configuration: name: .*new/)
        })
      }).pipe(Effect.provideService(RefusalTime, "10 seconds"), Effect.provide(RunStore.layerMemory))
  )

  it.scoped("holds up none that the node may begin, even if a thousand of them come first", () =>
    Effect.gen(function* () {
      const { node, store, until } = yield* Scene.make
      yield* queued(1_000, 5)
      const fit = yield* Effect.forEach(Array.range(1_001, 1_010), (n) =>
        Effect.as(store.create({ ...newRun(n, { config: { name: "new" }, isQueued: true }), kind }), id(n))
      )
      yield* node("b", { ...next, maxJobs: 20 })
      yield* until("all ten run", store.cluster.held(kind), (held) =>
        fit.every((id) => held.some(({ run }) => run.id === id))
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("holds up no other run of its group", () =>
    Effect.gen(function* () {
      const { node, store, until } = yield* Scene.make
      const of = (n: number, name: string) =>
        store.create({ ...newRun(n, { config: { name }, group: "a", isQueued: true }), kind })
      yield* Effect.forEach([1, 2, 3], (n) => of(n, "old"))
      yield* of(4, "new")
      yield* node("b", { ...next, group: () => "a", maxPerGroup: 1 })
      yield* until("it runs", store.cluster.held(kind), (held) => held.some(({ run }) => run.id === id(4)))
      expect((yield* store.list({ kind, status: "pending" })).length).toBe(3)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("is stopped as any run that waits", () =>
    Effect.gen(function* () {
      const { node, passing, store, until } = yield* Scene.make
      const b = yield* node("b", next)
      const [jobId] = yield* queued(1)
      if (jobId === undefined) return
      yield* until(
        "it is refused",
        store.get(jobId),
        Option.exists(({ refusedBy }) => refusedBy !== undefined)
      )
      expect(yield* passing(b.manager.stop(jobId))).toMatchObject({ status: "cancelled" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

it.effect("a run waits ten minutes for another version", () =>
  Effect.map(RefusalTime, (time) => expect(Duration.toMinutes(time)).toBe(10))
)

describe("the version of a kind", () => {
  const to = Schema.Struct({ to: Schema.String })

  it("is the same for the same schemas, and another with a field, a type, an option or a limit changed", () => {
    interface Tree {
      readonly children: ReadonlyArray<Tree>
    }
    const Recursive: Schema.Schema<Tree> = Schema.Struct({
      children: Schema.Array(Schema.suspend(() => Recursive))
    })
    const configs: ReadonlyArray<Schema.Schema.All> = [
      to,
      Schema.Struct({ to: Schema.String, template: Schema.String }),
      Schema.Struct({ to: Schema.String, template: Schema.optional(Schema.String) }),
      Schema.Struct({ to: Schema.Number }),
      Schema.Struct({ to: Schema.NumberFromString }),
      Schema.Struct({ to: Schema.String.pipe(Schema.minLength(3)) }),
      Schema.Struct({ to: Schema.String.pipe(Schema.minLength(4)) }),
      Schema.Struct({ to: Schema.Literal("a", "b") }),
      Schema.Struct({ to: Schema.Literal("a", "b", 3n) }),
      Recursive
    ]
    expect(new Set(configs.map((config) => versionOf({ config }))).size).toBe(configs.length)
    expect(versionOf({ config: Schema.Struct({ to: Schema.String }) })).toBe(versionOf({ config: to }))
  })

  it("is what its definition says, and no other text", () => {
    class Email extends JobKind.Tag<Email>()("email", { config: to, version: "2024-06.1" }) {}
    expect(Email.version).toBe("2024-06.1")
    expect(() => JobKind.Tag<Email>()("email", { config: to, version: "a b" })).toThrow(/a version is 1 to 64 letters/)
  })
})
