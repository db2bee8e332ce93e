/** Twenty processes that want the same lock. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Contender from "./Contender.js"

const directory = TemporaryDirectory.file("home")
const path = TemporaryDirectory.file("lock")

describe("home lock", () => {
  it.scopedLive("goes to exactly one of twenty concurrent processes; the others get an error that names it", () =>
    Effect.gen(function* () {
      const program = yield* Contender.program
      const all = yield* Effect.replicateEffect(Contender.start(program), 20, { concurrency: 5 })
      for (let round = 1; round <= 5; round++) {
        const home = yield* directory
        yield* Effect.forEach(all, ({ tell }) => tell(`home ${home}`), { discard: true })
        const verdicts = yield* Effect.forEach(all, ({ next, pid }) =>
          Effect.map(next, (verdict) => ({ pid, verdict }))
        )
        const winners = verdicts.filter(({ verdict }) => verdict.tag === "won")
        expect(winners).toHaveLength(1)
        const losers = verdicts.flatMap(({ verdict }) => (verdict.tag === "lost" ? [verdict] : []))
        expect(losers).toHaveLength(19)
        for (const { error, holder, message } of losers) {
          expect({ error, holder }).toEqual({ error: "HomeBusy", holder: winners[0]?.pid })
          expect(message).toContain(`${home} is in use by charlotte run (pid ${holder}, version 1.2.3) since 20`)
          expect(message).toContain("CHARLOTTE_HOME")
        }
      }
    })
  )
})

describe("FileLock", () => {
  it.scopedLive("gives the lock to exactly one of twenty concurrent contenders", () =>
    Effect.gen(function* () {
      const file = yield* path
      const program = yield* Contender.program
      const all = yield* Effect.replicateEffect(Contender.start(program), 20, { concurrency: 5 })
      for (let round = 1; round <= 10; round++) {
        yield* Effect.forEach(all, ({ tell }) => tell(`file ${file}`), { discard: true })
        const verdicts = yield* Effect.forEach(all, ({ next }) => next)
        expect(verdicts.filter(({ tag }) => tag === "won")).toHaveLength(1)
        yield* Effect.forEach(all, ({ ask }) => ask("release"), { discard: true })
      }
    })
  )
})
