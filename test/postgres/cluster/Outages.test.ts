/**
 * Faults that last: what a node cannot reach for a while, and a node that stands still.
 */
import { describe, expect, it } from "@effect/vitest"
import type { JobId } from "charlotte"
import { Effect } from "effect"
import { poll } from "../../../src/internal/RealClock.js"
import { isLong } from "../../support/long.js"
import * as TestDatabase from "../database.js"
import * as OwnServer from "../ownServer.js"
import * as Proxy from "../proxy.js"
import * as Members from "./members.js"
import { freePort } from "./nodes.js"
import * as verdict from "./verdict.js"

type Three = Effect.Effect.Success<ReturnType<typeof Members.three>>

/** Six jobs, two on each node. */
const startSix = ({ a, b, c }: Three) =>
  Effect.gen(function* () {
    const { ids, places } = yield* Members.startAll(a, 6)
    const on = ({ address }: Members.Member) => ids.filter((id) => places.get(id)?.address === address)
    expect([a, b, c].map((member) => on(member).length)).toEqual([2, 2, 2])
    return { ids, on }
  })

const stopAll = (members: ReadonlyArray<Members.Member>, ids: ReadonlyArray<JobId.JobId>) =>
  Effect.forEach(
    ids.map((id, i) => [id, members[i % members.length]] as const),
    ([id, member]) => (member === undefined ? Effect.void : Members.stop(member, id)),
    { concurrency: "unbounded", discard: true }
  )

/** New jobs on every node: right after an outage all go to those nodes that are back already, and then these are started again. */
const startOnEach = (members: ReadonlyArray<Members.Member>, from: Members.Member) => {
  const round = Effect.gen(function* () {
    // With the six of before, as many as may run: also where one node has all of those, it gets new ones.
    const { ids, places } = yield* Members.startAll(from, 14)
    const used = new Set(ids.map((id) => places.get(id)?.address))
    const isOnEach = members.every(({ address }) => used.has(address))
    if (!isOnEach) yield* stopAll(members, ids)
    return { ids, isOnEach }
  })
  return poll(round, { until: ({ isOnEach }) => isOnEach, pause: 500, atMost: 30_000 })
}

/** Nothing is lost: no process has ended, new jobs run on every node, and followers and records have no gap. */
const verified = (url: string, three: Three, ids: ReadonlyArray<JobId.JobId>) =>
  Effect.gen(function* () {
    const { a, b, c } = three
    const members = [a, b, c]
    for (const { node } of members) expect(yield* node().isRunning).toBe(true)
    const { ids: more, isOnEach } = yield* startOnEach(members, b)
    expect(isOnEach).toBe(true)
    yield* stopAll(members, [...ids, ...more])
    expect(yield* verdict.ended(url)).toEqual([])
    for (const member of members) expect(yield* verdict.missed(url, member)).toEqual([])
    expect(yield* verdict.problems(url)).toEqual([])
  })

/** Waits until these jobs run as their second attempt, on another node, and the others as their first one still. */
const moved = (
  member: Members.Member,
  from: Members.Member,
  { ids, on }: Effect.Effect.Success<ReturnType<typeof startSix>>
) =>
  Members.until(member, (taken) =>
    ids.every((id) =>
      on(from).includes(id)
        ? taken.get(id)?.attempt === 2 && taken.get(id)?.address !== from.address
        : taken.get(id)?.attempt === 1
    )
  )

describe.runIf(isLong)("a node that stands still for 60 s", () => {
  it.scopedLive(
    "writes nothing of its attempts once it goes on, and works again",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const three = yield* Members.three(url)
        const jobs = yield* startSix(three)
        yield* three.b.node().signal("SIGSTOP")
        yield* moved(three.a, three.b, jobs)
        yield* Effect.sleep("50 seconds")
        yield* three.b.node().signal("SIGCONT")
        yield* Effect.sleep("5 seconds")
        yield* verified(url, three, jobs.ids)
      }),
    300_000
  )
})

describe.runIf(isLong)("a node without its database for 30 s", () => {
  for (const [how, then] of [
    ["disconnect", "reconnect"],
    ["freeze", "resume"],
    ["freeze", "forget"]
  ] as const) {
    it.scopedLive(
      `loses its jobs to others and no process, and works again: ${how}, ${then}`,
      () =>
        Effect.gen(function* () {
          const url = yield* TestDatabase.make
          const proxy = yield* Proxy.make(url)
          const three = yield* Members.three(url, (name) => (name === "b" ? { url: proxy.url } : {}))
          const jobs = yield* startSix(three)
          yield* proxy[how]
          yield* moved(three.a, three.b, jobs)
          yield* Effect.sleep("18 seconds")
          yield* proxy[then]
          yield* Effect.sleep("10 seconds")
          yield* verified(url, three, jobs.ids)
        }),
      180_000
    )
  }
})

describe("nodes that cannot reach each other", () => {
  it.scopedLive(
    "start, run and stop each other's jobs by way of the database, and interrupt none",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const proxies = yield* Effect.replicateEffect(
          Effect.gen(function* () {
            const listen = `127.0.0.1:${yield* freePort}`
            const proxy = yield* Proxy.make(`tcp://${listen}`)
            return { proxy, options: { listen, address: new URL(proxy.url).host } }
          }),
          3
        )
        const [a, b, c] = proxies
        const three = yield* Members.three(url, (name) => ({ a, b, c })[name]?.options ?? {})
        const jobs = yield* startSix(three)
        yield* Effect.forEach(proxies, ({ proxy }) => proxy.disconnect)
        const { ids: more } = yield* Members.startAll(three.c, 3)
        for (const id of more) {
          expect(yield* Members.stop(three.a, id)).toMatchObject({ status: "cancelled" })
        }
        yield* Effect.sleep(isLong ? "30 seconds" : "1 second")
        yield* Effect.forEach(proxies, ({ proxy }) => proxy.reconnect)
        yield* Members.until(three.a, (taken) => jobs.ids.every((id) => taken.get(id)?.attempt === 1))
        yield* verified(url, three, jobs.ids)
      }),
    300_000
  )
})

describe.runIf(isLong)("nodes whose PostgreSQL is away for 20 s", () => {
  it.scopedLive(
    "lose no job, and no process ends",
    () =>
      Effect.gen(function* () {
        const server = yield* OwnServer.make
        const three = yield* Members.three(server.url)
        const jobs = yield* startSix(three)
        yield* server.stop
        yield* Effect.sleep("20 seconds")
        yield* server.start
        yield* Members.until(three.a, (taken) => jobs.ids.every((id) => taken.get(id)?.attempt === 2), 60_000)
        yield* verified(server.url, three, jobs.ids)
      }),
    300_000
  )
})
