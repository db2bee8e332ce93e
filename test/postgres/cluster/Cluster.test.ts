import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Effect, Fiber, Schema } from "effect"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as TestDatabase from "../database.js"
import * as Nodes from "./nodes.js"

const Ids = Schema.Array(JobId.JobId)
const Ended = Schema.Struct({ attempt: Schema.Int, status: Schema.String })
const Stopped = Schema.Struct({ mode: Schema.String, status: Schema.String })
const Event = Schema.Struct({ seq: Schema.Int, type: Schema.String, payload: Schema.Unknown })
const Begun = Schema.Struct({ address: Schema.String, attempt: Schema.Int })

const long = 600_000

const three = (maxJobs = 20) =>
  Effect.gen(function* () {
    const url = yield* TestDatabase.make
    const programs = yield* Effect.flatMap(TemporaryDirectory.make, Nodes.programs)
    const nodes = yield* Effect.replicateEffect(Nodes.make(url, programs, { maxJobs }), 3, { concurrency: 3 })
    const [a, b, c] = nodes
    if (a === undefined || b === undefined || c === undefined)
      return yield* Effect.dieMessage("three nodes are expected")
    return { url, a, b, c, nodes }
  })

const start = (node: Nodes.Node) =>
  node.ask(JobId.JobId, { _tag: "Start", millis: long, hasChild: true, whenFull: "refuse" })

/** On which node each attempt of a job has begun; it ends with the job. */
const attempts = (node: Nodes.Node, id: JobId.JobId) =>
  Effect.map(node.ask(Schema.Array(Event), { _tag: "Events", id }), (events) => ({
    events,
    begun: events.flatMap(({ payload, type }) => (type === "begun" ? [Schema.decodeUnknownSync(Begun)(payload)] : []))
  }))

describe("three nodes on one PostgreSQL", () => {
  it.scopedLive(
    "stops on one node a job that was started on a second, while a third follows it",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const id = yield* start(a)
        const followed = yield* Effect.fork(attempts(c, id))
        const awaited = yield* Effect.fork(c.ask(Ended, { _tag: "Await", id }))
        yield* Effect.sleep("1 second")
        expect(yield* b.ask(Stopped, { _tag: "Stop", id })).toEqual({ mode: "graceful", status: "cancelled" })
        const { events } = yield* Fiber.join(followed)
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
        expect(events.at(-1)?.type).toBe("job.cancelled")
        expect(yield* Fiber.join(awaited)).toEqual({ attempt: 1, status: "cancelled" })
      }),
    60_000
  )

  it.scopedLive(
    "admits exactly as many as the limit of 900 starts at once, spread evenly",
    () =>
      Effect.gen(function* () {
        const { nodes, a } = yield* three()
        const started = yield* Effect.forEach(
          nodes,
          (node) => node.ask(Ids, { _tag: "StartMany", millis: long, count: 300 }),
          {
            concurrency: 3
          }
        )
        expect(started.flat()).toHaveLength(20)
        expect(yield* a.ask(Ids, { _tag: "List" })).toHaveLength(20)
      }),
    60_000
  )

  it.scopedLive(
    "continues the jobs of a node that is killed on the others",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const ids = yield* Effect.forEach([1, 2, 3], () => start(a))
        yield* Effect.sleep("1 second")
        const killedAt = Date.now()
        yield* b.signal("SIGKILL")
        const followed = yield* Effect.forEach(ids, (id) => Effect.fork(attempts(c, id)))
        yield* Effect.sleep("14 seconds")
        yield* Effect.forEach(ids, (id) => a.ask(Stopped, { _tag: "Stop", id }), { concurrency: 3 })
        const all = yield* Effect.forEach(followed, Fiber.join)
        const moved = all.filter(({ begun }) => begun.length > 1)
        expect(moved).toHaveLength(1)
        for (const { begun, events } of all) {
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
          expect(begun.at(-1)?.address).not.toBe(b.address)
          expect(events.filter(({ type }) => type === "overlap")).toEqual([])
        }
        expect(moved[0]?.begun[0]?.address).toBe(b.address)
        expect(Date.now() - killedAt).toBeLessThan(30_000)
      }),
    90_000
  )

  it.scopedLive(
    "moves the jobs of a node that closes to the others",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const ids = yield* Effect.forEach([1, 2, 3], () => start(a))
        yield* Effect.sleep("1 second")
        yield* b.ask(Schema.Null, { _tag: "Close" })
        yield* Effect.sleep("4 seconds")
        const followed = yield* Effect.forEach(ids, (id) => Effect.fork(attempts(c, id)))
        yield* Effect.forEach(ids, (id) => a.ask(Stopped, { _tag: "Stop", id }), { concurrency: 3 })
        const all = yield* Effect.forEach(followed, Fiber.join)
        expect(all.filter(({ begun }) => begun.length > 1)).toHaveLength(1)
        for (const { begun } of all) expect(begun.at(-1)?.address).not.toBe(b.address)
      }),
    60_000
  )

  it.scopedLive(
    "continues the jobs of a node that stands still, whose processes are gone by then, and takes nothing from it afterwards",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const ids = yield* Effect.forEach([1, 2, 3], () => start(a))
        yield* Effect.sleep("1 second")
        yield* b.signal("SIGSTOP")
        yield* Effect.sleep("15 seconds")
        yield* b.signal("SIGCONT")
        yield* Effect.sleep("3 seconds")
        const followed = yield* Effect.forEach(ids, (id) => Effect.fork(attempts(c, id)))
        yield* Effect.forEach(ids, (id) => a.ask(Stopped, { _tag: "Stop", id }), { concurrency: 3 })
        const all = yield* Effect.forEach(followed, Fiber.join)
        const moved = all.filter(({ begun }) => begun.length > 1)
        expect(moved).toHaveLength(1)
        for (const { begun, events } of all) {
          expect(events.filter(({ type }) => type === "overlap")).toEqual([])
          const resumed = events.findIndex(({ type }) => type === "job.resumed")
          expect(begun.map(({ attempt }) => attempt)).toEqual(begun.map((_, i) => i + 1))
          expect(resumed === -1 || events[resumed - 1]?.type === "job.interrupted").toBe(true)
        }
      }),
    90_000
  )
})
