import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Duration, Effect, Fiber, Schema } from "effect"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as TestDatabase from "../database.js"
import * as Nodes from "./nodes.js"
import { Seen } from "./protocol.js"

const Ids = Schema.Array(JobId.JobId)
const Ended = Schema.Struct({ attempt: Schema.Int, status: Schema.String })
const Event = Schema.Struct({ seq: Schema.Int, type: Schema.String, payload: Schema.Unknown })
const Begun = Schema.Struct({ address: Schema.String, attempt: Schema.Int })

const long = 600_000

const three = (maxJobs = 20) =>
  Effect.gen(function* () {
    const url = yield* TestDatabase.make
    const directory = yield* TemporaryDirectory.make
    const nodes = yield* Effect.replicateEffect(Nodes.make(url, directory, { maxJobs }), 3, { concurrency: 3 })
    const [a, b, c] = nodes
    if (a === undefined || b === undefined || c === undefined)
      return yield* Effect.dieMessage("three nodes are expected")
    return { url, a, b, c, nodes }
  })

const Held = Schema.Array(
  Schema.Struct({ id: JobId.JobId, attempt: Schema.Int, address: Schema.optional(Schema.String) })
)

/** Waits until nodes have taken as many jobs as that, each as it has to be. */
const taken = (node: Nodes.Node, count: number, isSo: (job: (typeof Held.Type)[number]) => boolean = () => true) =>
  Effect.map(
    Effect.repeat(Effect.delay(node.ask(Held, { _tag: "Held" }), "100 millis"), {
      until: (all) => all.length === count && all.every((job) => job.address !== undefined && isSo(job))
    }),
    (all) => new Map(all.map(({ address = "", id }) => [id, address]))
  )

/** Returns when so many jobs have recorded that they have begun: a node has taken them before that. */
const recorded = (node: Nodes.Node, count: number) =>
  Effect.flatMap(node.ask(Schema.Int, { _tag: "Follow", after: 0 }), (follower) =>
    Effect.repeat(Effect.delay(node.ask(Schema.Array(Seen), { _tag: "Seen", follower, from: 0 }), "100 millis"), {
      until: (seen) => seen.filter(({ line }) => line.endsWith(" begun")).length === count
    })
  )

/** Three jobs with child processes, one on each node. */
const startThree = (node: Nodes.Node) =>
  Effect.gen(function* () {
    const start = node.ask(JobId.JobId, { _tag: "Start", millis: long, hasChild: true, whenFull: "refuse" })
    const ids = yield* Effect.replicateEffect(start, 3)
    const places = yield* taken(node, 3)
    expect(new Set(places.values()).size).toBe(3)
    yield* recorded(node, 3)
    return { ids, places }
  })

/** Starts so many jobs on each node, and returns those that were admitted. */
const startEverywhere = (nodes: ReadonlyArray<Nodes.Node>, count: number) =>
  Effect.map(
    Effect.forEach(nodes, (node) => node.ask(Ids, { _tag: "StartMany", millis: long, count }), { concurrency: 3 }),
    (started) => started.flat()
  )

/** On which node each attempt of a job has begun; it ends with the job. */
const attempts = (node: Nodes.Node, id: JobId.JobId) =>
  Effect.map(node.ask(Schema.Array(Event), { _tag: "Events", id }), (events) => ({
    events,
    begun: events.flatMap(({ payload, type }) => (type === "begun" ? [Schema.decodeUnknownSync(Begun)(payload)] : []))
  }))

/** Stops all jobs, and looks through their events: only those that were lost have begun twice, and none while its lock was held. */
const verified = (
  node: Nodes.Node,
  {
    followed,
    ids,
    lost
  }: {
    readonly ids: ReadonlyArray<JobId.JobId>
    readonly lost: ReadonlyArray<JobId.JobId>
    readonly followed: ReadonlyArray<Fiber.Fiber<Effect.Effect.Success<ReturnType<typeof attempts>>, string>>
  }
) =>
  Effect.gen(function* () {
    expect(lost).toHaveLength(1)
    yield* Effect.sleep("1 second")
    yield* Effect.forEach(ids, (id) => Nodes.stop(node, id), { concurrency: 3 })
    const all = yield* Effect.forEach(followed, Fiber.join)
    for (const [i, { begun, events }] of all.entries()) {
      const id = ids[i]
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
      expect(begun.map(({ attempt }) => attempt)).toEqual(id !== undefined && lost.includes(id) ? [1, 2] : [1])
      expect(events.filter(({ type }) => type === "overlap")).toEqual([])
      const resumed = events.findIndex(({ type }) => type === "job.resumed")
      if (resumed >= 0) expect(events[resumed - 1]?.type).toBe("job.interrupted")
    }
  })

describe("three nodes on one PostgreSQL", () => {
  it.scopedLive(
    "stops on one node a job that was started on a second, while a third follows it",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const { ids } = yield* startThree(a)
        for (const id of ids) {
          const followed = yield* Effect.fork(attempts(c, id))
          const awaited = yield* Effect.fork(c.ask(Ended, { _tag: "Await", id }))
          expect((yield* Nodes.stop(b, id)).status).toBe("cancelled")
          const { events } = yield* Fiber.join(followed)
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
          expect(events.at(-1)?.type).toBe("job.cancelled")
          expect(yield* Fiber.join(awaited)).toEqual({ attempt: 1, status: "cancelled" })
        }
      }),
    300_000
  )

  it.scopedLive(
    "admits exactly as many as the limit of 900 starts at once",
    () =>
      Effect.gen(function* () {
        const { a, nodes } = yield* three()
        expect(yield* startEverywhere(nodes, 300)).toHaveLength(20)
        yield* taken(a, 20)
      }),
    300_000
  )

  // Few enough that no node is so busy with them that it is silent for three seconds: it would get no more jobs.
  it.scopedLive(
    "spreads evenly what is started on all nodes at once",
    () =>
      Effect.gen(function* () {
        const { a, nodes } = yield* three()
        yield* startEverywhere(nodes, 10)
        const places = [...(yield* taken(a, 20)).values()]
        const counts = nodes.map(({ address }) => places.filter((place) => place === address).length)
        expect(counts.toSorted()).toEqual([6, 7, 7])
      }),
    300_000
  )

  it.scopedLive(
    "continues the jobs of a node that is killed on the others, and its processes are gone by then",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const { ids, places } = yield* startThree(a)
        const followed = yield* Effect.forEach(ids, (id) => Effect.fork(attempts(c, id)))
        const [millis] = yield* Effect.timed(
          Effect.zipRight(
            b.signal("SIGKILL"),
            taken(a, 3, ({ address }) => address !== b.address)
          )
        )
        // After ten seconds, and what a busy machine adds.
        expect(Duration.toSeconds(millis)).toBeLessThan(30)
        yield* verified(a, { followed, ids, lost: ids.filter((id) => places.get(id) === b.address) })
      }),
    300_000
  )

  it.scopedLive(
    "continues the jobs of a node that stands still, and takes nothing more from it",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const { ids, places } = yield* startThree(a)
        const followed = yield* Effect.forEach(ids, (id) => Effect.fork(attempts(c, id)))
        yield* b.signal("SIGSTOP")
        yield* taken(a, 3, ({ address }) => address !== b.address)
        yield* Effect.sleep("3 seconds")
        yield* b.signal("SIGCONT")
        yield* Effect.sleep("2 seconds")
        yield* verified(a, { followed, ids, lost: ids.filter((id) => places.get(id) === b.address) })
      }),
    300_000
  )

  it.scopedLive(
    "moves the jobs of a node that closes to the others",
    () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* three()
        const { ids, places } = yield* startThree(a)
        const followed = yield* Effect.forEach(ids, (id) => Effect.fork(attempts(c, id)))
        yield* b.ask(Schema.Null, { _tag: "Close" })
        const [millis] = yield* Effect.timed(taken(a, 3, ({ address }) => address !== b.address))
        // Long before the ten seconds after which a node counts as dead.
        expect(Duration.toSeconds(millis)).toBeLessThan(8)
        yield* verified(a, { followed, ids, lost: ids.filter((id) => places.get(id) === b.address) })
      }),
    300_000
  )
})
