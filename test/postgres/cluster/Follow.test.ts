import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Schema } from "effect"
import * as TestDatabase from "../database.js"
import * as Members from "./members.js"
import { Seen } from "./protocol.js"
import * as verdict from "./verdict.js"

const terminate = (url: string) =>
  TestDatabase.adminOf(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'charlotte listener'"
  )

describe("followers on nodes whose listening connections are terminated", () => {
  it.scopedLive("miss nothing, are at most 2 s late, and are fast again within 10 s", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { a, b, c } = yield* Members.three(url)
      const { ids } = yield* Members.startAll(a, 3)
      const [id] = ids
      const followers = yield* Effect.forEach([a, b, c], (member) =>
        Effect.map(member.node().ask(Schema.Int, { _tag: "Follow", id, after: 0 }), (follower) =>
          member.node().ask(Schema.Array(Seen), { _tag: "Seen", follower, from: 0 })
        )
      )
      for (let n = 0; n < 15; n++) yield* Effect.zipRight(terminate(url), Effect.sleep("200 millis"))
      yield* Effect.sleep("7 seconds")
      const calmAfter = (yield* a.followed).length
      yield* Effect.sleep("3 seconds")

      yield* Effect.forEach(ids, (id) => Members.stop(b, id))
      for (const member of [a, b, c]) expect(yield* verdict.missed(url, member)).toEqual([])
      const delays = yield* Effect.forEach([a, b, c], ({ followed }) =>
        Effect.map(
          followed,
          Array.map(({ late }) => late)
        )
      )
      // The node that has written an event sees it without listening.
      const written = Array.makeBy(delays[0]?.length ?? 0, (i) =>
        Math.min(...delays.map((late) => late[i] ?? Infinity))
      )
      for (const delay of delays) {
        const late = delay.map((late, i) => late - (written[i] ?? 0))
        expect(Math.max(...late)).toBeLessThan(2_000)
        const calm = late.slice(calmAfter).toSorted((a, b) => a - b)
        // By the poll alone half of them would be half a second late.
        expect(calm[Math.floor(calm.length / 2)]).toBeLessThan(400)
      }
      const ofJob = (yield* verdict.events(url)).filter(({ job_id }) => job_id === id)
      for (const seen of followers) {
        const seqs = (yield* seen).map(({ line }) => Number(line.split(" ")[2]))
        expect(seqs).toEqual(ofJob.map(({ seq }) => seq))
      }
      expect(yield* verdict.problems(url)).toEqual([])
    })
  )
})
