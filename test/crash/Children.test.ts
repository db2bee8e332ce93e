/** A worker whose jobs wait for children, and which is killed again and again, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Random } from "effect"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Killed from "./killedProcess.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 30 : 5))

/** How many further lines are heard before the next kill. */
const [least, most] = [1, 10]

/** The children of each job. */
const names = ["1", "2", "3", "4", "5"]

/** Kills a worker so many times, and lets the last one end all jobs. Returns what is wrong. */
const story = (kills: number) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const main = fileURLToPath(new URL("steps/children.ts", import.meta.url))
    const program = yield* bundle(directory, main)
    const [filename, appended] = [`${directory}/jobs.db`, `${directory}/appended`]
    const wrong: Array<string> = []
    const got = new Map<string, string>()
    let heard = 0
    const hear = (line: string) => {
      const [, id = "", n = "", part = ""] = line.split(" ")
      // What a later attempt reads again is no progress: jobs that make none fail after three crashes.
      if (!got.has(`${id} ${n}`)) heard += 1
      const known = got.get(`${id} ${n}`) ?? part
      if (known !== part) wrong.push(`job ${id} has read ${known} and ${part} of child ${n}`)
      got.set(`${id} ${n}`, part)
    }
    const live = (lines: number) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* Killed.live(program, [filename, appended], {
            hear,
            wrong: (problem) => void wrong.push(problem)
          })
          const until = heard + lines
          yield* Effect.repeat(Effect.sleep(1), { until: () => heard >= until || wrong.length > 0 })
        })
      )
    const stored = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))
    const audit = Effect.map(Audit.run(), ({ violations }) => violations.map(({ wrong }) => wrong))
    for (let n = 0; n < kills && wrong.length === 0; n++) {
      yield* live(yield* Random.nextIntBetween(least, most))
      wrong.push(...(yield* Effect.provide(audit, stored)))
    }
    const drained = { hear: (line: string) => void (heard += line === "drained" ? 1 : 0) }
    yield* Effect.scoped(
      Effect.gen(function* () {
        const before = heard
        const args = [filename, appended, "drain"]
        yield* Killed.live(program, args, { ...drained, wrong: (problem) => void wrong.push(problem) })
        yield* Effect.repeat(Effect.sleep(5), { until: () => heard > before || wrong.length > 0 })
      })
    )

    const ran = new Set((yield* Effect.promise(() => readFile(appended, "utf8"))).trimEnd().split("\n"))
    return yield* Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const wholes = yield* store.list({ kind: "whole", limit: 10_000 })
      const parts = yield* store.list({ kind: "part", limit: 10_000 })
      for (const { id, status } of wholes) {
        if (status !== "completed") wrong.push(`job ${id} is ${status}`)
        const { events } = yield* Effect.flatten(store.events({ kind: "whole", jobId: id, after: 0, limit: 1_000 }))
        const read = events.flatMap(({ payload, type }) => (type === "job.step" ? [JSON.stringify(payload)] : []))
        for (const name of names) {
          const times = read.filter((step) => step.includes(`"name":"child/${name}"`)).length
          if (times !== 1) wrong.push(`job ${id} has seen the end of child ${name} ${times} times`)
        }
      }
      for (const { id } of parts) if (!ran.has(id)) wrong.push(`child ${id} has not run`)
      if (parts.length !== wholes.length * names.length) wrong.push(`${parts.length} children of ${wholes.length} jobs`)
      wrong.push(...(yield* audit))
      process.stdout.write(`children: ${parts.length} of ${wholes.length} jobs, ${kills} kills\n`)
      return wrong
    }).pipe(Effect.provide(stored))
  })

describe("a worker that is killed between the ends of children and their parents", () => {
  it.scopedLive(
    "starts each child once, and each parent sees each end once, and none waits for an end that has come",
    () => Effect.map(story(kills), (wrong) => expect(wrong).toEqual([])),
    600_000 + kills * 20_000
  )
})
