import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Fiber } from "effect"
import * as TestDatabase from "../database.js"
import * as Members from "./members.js"
import * as requests from "./requests.js"
import * as verdict from "./verdict.js"

/** Sends a request to a node; where that is about to end, or away, to the next one. */
const client = (members: ReadonlyArray<Members.Member>, isEnding: (member: Members.Member) => boolean) => {
  const unexpected: globalThis.Array<string> = []
  let next = 0
  const send = (sent: Parameters<typeof requests.send>[1], status: number, tries = 0): Effect.Effect<string> =>
    Effect.suspend(() => {
      const member = members[next++ % members.length]
      if (member === undefined || tries > 100) return Effect.dieMessage(`no node answers ${sent.path}`)
      const wasEnding = isEnding(member)
      return Effect.flatMap(requests.send(member, sent), (answer) => {
        if (answer !== requests.lost && answer.status === status) return Effect.succeed(answer.text)
        const isRefused = answer === requests.lost || (answer.status === 503 && "retry-after" in answer.headers)
        if (!isRefused || !(wasEnding || isEnding(member))) {
          unexpected.push(`${sent.path}: ${answer === requests.lost ? answer : `${answer.status} ${answer.text}`}`)
        }
        return Effect.delay(send(sent, status, tries + 1), "20 millis")
      })
    })
  return { send, unexpected }
}

describe("nodes that are restarted one after another, under load", () => {
  it.scopedLive(
    "refuse no request but with 503 and Retry-After while they end, and interrupt each job twice at most",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const { a, b, c } = yield* Members.threeServers(url, 40)
        const members = [a, b, c]
        const { ids } = yield* Members.startAll(a, 6)
        const ending = new Set<Members.Member>()
        const clients = [0, 1, 2].map(() => client(members, (member) => ending.has(member)))
        const answered = [0, 0, 0]
        const loading = yield* Effect.fork(
          Effect.forEach(
            clients,
            ({ send }, i) =>
              Effect.gen(function* () {
                const text = yield* send(requests.start(`${i}-${answered[i]}`, 1_000), 201)
                const id = requests.idOf(text)
                yield* send({ path: `/api/v1/jobs/${id}` }, 200)
                answered[i] = (answered[i] ?? 0) + 1
                yield* Effect.sleep("150 millis")
              }).pipe(Effect.forever),
            { concurrency: "unbounded", discard: true }
          )
        )

        for (const member of members) {
          ending.add(member)
          yield* member.node().signal("SIGTERM")
          yield* member.node().ended
          yield* member.restart
          ending.delete(member)
          yield* Effect.sleep("2 seconds")
        }

        yield* Fiber.interrupt(loading)
        expect(clients.flatMap(({ unexpected }) => unexpected)).toEqual([])
        for (const count of answered) expect(count).toBeGreaterThan(20)
        for (const id of ids) yield* Members.stop(a, id)
        expect(yield* verdict.ended(url)).toEqual([])
        expect(yield* verdict.problems(url, 40)).toEqual([])
        const interruptions = (yield* verdict.events(url)).filter(({ type }) => type === "job.interrupted")
        const often = Object.values(Array.groupBy(interruptions, ({ job_id }) => job_id)).filter(
          (all) => all.length > 2
        )
        expect(often).toEqual([])
        for (const member of members) expect(yield* verdict.missed(url, member)).toEqual([])
      }),
    300_000
  )
})
