/** A worker with groups, which is killed again and again, on PostgreSQL. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Random } from "effect"
import { inject } from "vitest"
import * as Audit from "../../src/store/Audit.js"
import * as Killed from "../crash/killedProcess.js"
import { isLong } from "../support/long.js"
import * as TestDatabase from "./database.js"
import * as after from "./groupsAfter.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 50 : 8))

/** How many further jobs have ended before the next kill. */
const [least, most] = [1, 20]

const maxPerGroup = 2

/** Kills a worker so many times, and lets the last one end all jobs. */
const story = Effect.gen(function* () {
  const url = yield* TestDatabase.make
  const wrong: Array<string> = []
  let ended = 0
  const worker = (...args: ReadonlyArray<string>) =>
    Killed.live(inject("programs").groupWorker, [url, ...args], {
      hear: () => void ended++,
      wrong: (problem) => void wrong.push(problem)
    })
  for (let n = 0; n < kills && wrong.length === 0; n++) {
    const until = ended + (yield* Random.nextIntBetween(least, most))
    yield* Effect.scoped(
      Effect.zipRight(worker(), Effect.repeat(Effect.sleep(1), { until: () => ended >= until || wrong.length > 0 }))
    )
  }
  const marked = yield* TestDatabase.rowsOf(url, "SELECT DISTINCT grp FROM charlotte_changed_groups")
  yield* worker("drains")
  return { url, wrong, marked: marked.length }
})

describe(`a worker with groups that is killed ${kills} times`, () => {
  it.scopedLive(
    "never runs more jobs of a group than allowed, and the last one ends all and leaves no row about a group",
    () =>
      Effect.gen(function* () {
        const { marked, url, wrong } = yield* story
        yield* after.allOver(url)
        expect(wrong).toEqual([])
        const statuses = yield* after.statuses(url)
        expect(Object.keys(statuses)).toEqual(["completed"])
        expect(yield* after.mostAtOnce(url)).toBe(maxPerGroup)
        const stored = RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url })))
        const { violations } = yield* Effect.provide(Audit.run(), stored)
        expect(violations).toEqual([])
        process.stdout.write(
          `groups: ${statuses["completed"]} jobs, ${kills} kills, the last with ${marked} groups left to settle\n`
        )
      }),
    600_000 + kills * 30_000
  )
})
