import { describe, expect, it } from "@effect/vitest"
import { JobId } from "charlotte"
import { Effect, Fiber } from "effect"
import * as TestDatabase from "../database.js"
import * as Members from "./members.js"
import * as requests from "./requests.js"

const millis = 60_000

const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`)

const recorded = (url: string) => TestDatabase.rowsOf(url, "SELECT id FROM charlotte_runs ORDER BY id")

/** What a start answered: the job, or the status. */
const answer = (member: Members.Member, key: string, duration = millis) =>
  Effect.map(requests.send(member, requests.start(key, duration)), (answer) =>
    answer === requests.lost || answer.status !== 201 ? answer : requests.idOf(answer.text)
  )

describe("starts with an idempotency key on several nodes", () => {
  it.scopedLive(
    "make one job, also where they are sent at once, and where a node is killed before it has answered",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const { a, b, c } = yield* Members.threeServers(url, 100)

        const atOnce = yield* Effect.forEach(
          keys,
          (key) =>
            Effect.all(
              [
                answer(a, key),
                answer(b, key),
                c.node().ask(JobId.JobId, {
                  _tag: "Start",
                  millis,
                  hasChild: false,
                  whenFull: "queue",
                  idempotencyKey: key
                })
              ],
              { concurrency: 3 }
            ),
          { concurrency: 4 }
        )
        const ids = atOnce.map(([id]) => id)
        expect(atOnce).toEqual(ids.map((id) => [id, id, id]))
        expect((yield* recorded(url)).map(({ id }) => id)).toEqual(ids.toSorted())
        expect(yield* answer(b, "key-0", millis + 1)).toMatchObject({ status: 422, json: { jobId: ids[0] } })

        // In flight on the node that is killed.
        const inFlight = keys.map((key) => `late-${key}`)
        const first = yield* Effect.fork(
          Effect.forEach(inFlight, (key) => answer(a, key), { concurrency: "unbounded" })
        )
        yield* Effect.sleep("15 millis")
        yield* a.node().signal("SIGKILL")
        const before = yield* Fiber.join(first)
        for (const member of [b, c]) {
          expect(yield* Effect.forEach(keys, (key) => answer(member, key), { concurrency: 4 })).toEqual(ids)
        }
        const again = yield* Effect.forEach(inFlight, (key) => answer(b, key), { concurrency: 4 })
        expect(yield* Effect.forEach(inFlight, (key) => answer(c, key), { concurrency: 4 })).toEqual(again)
        expect(before.filter((answered, i) => answered !== requests.lost && answered !== again[i])).toEqual([])
        expect((yield* recorded(url)).map(({ id }) => id)).toEqual([...ids, ...again].toSorted())
      })
  )
})
