/** A worker that stops parked jobs, which then compensate, and is killed again and again, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Random } from "effect"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import { type Patch, patching } from "../simulation/Bundle.js"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Killed from "./killedProcess.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 30 : 6))

/** How many further lines are heard before the next kill. */
const [least, most] = [1, 12]

/** Lets a worker live and be killed so often. Returns what is wrong, and how many jobs were cancelled. */
const story = (kills: number, patches: ReadonlyArray<Patch> = []) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const main = fileURLToPath(new URL("steps/compensating.ts", import.meta.url))
    const program = yield* bundle(directory, main, [patching(patches)])
    const [filename, appended] = [`${directory}/jobs.db`, `${directory}/appended`]
    const wrong: Array<string> = []
    const heard: Array<string> = []
    for (let n = 0; n < kills && wrong.length === 0; n++) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Killed.live(program, [filename, appended], {
            hear: (line) => void heard.push(line),
            wrong: (problem) => void wrong.push(problem)
          })
          const until = heard.length + (yield* Random.nextIntBetween(least, most))
          yield* Effect.repeat(Effect.sleep(1), { until: () => heard.length >= until || wrong.length > 0 })
        })
      )
    }

    const lines = (yield* Effect.promise(() => readFile(appended, "utf8"))).trimEnd().split("\n")
    return yield* Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { violations } = yield* Audit.run()
      wrong.push(...violations.map(({ found, wrong }) => `${found}: ${wrong}`))
      const runs = yield* store.list({ kind: "order" })
      for (const { error, id, status } of runs) {
        const steps = (yield* store.steps.recall(id)).map(({ name }) => name)
        // Three kills in a row may have come before it recorded anything.
        const isGivenUp = status === "failed" && error?.kind === "recovery"
        if (status === "completed" || (status === "failed" && !isGivenUp)) wrong.push(`job ${id} is ${status}`)
        if (status === "cancelled" && steps.join() !== "reserve,release") {
          wrong.push(`job ${id} is cancelled, and has only done ${steps.join()}`)
        }
        if (status !== "cancelled" && heard.includes(`stopped ${id} cancelled`)) {
          wrong.push(`job ${id} was stopped, and is ${status}`)
        }
      }
      const repeated = lines.length - new Set(lines).size
      // Two jobs run at once.
      if (repeated > 2 * kills) wrong.push(`${repeated} steps have run again after ${kills} kills`)
      return { wrong, repeated, cancelled: runs.filter(({ status }) => status === "cancelled").length }
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))))
  })

describe("a worker that is killed between the stops of parked jobs and their compensation", () => {
  it.scopedLive(
    "has compensated each job that is cancelled, and has cancelled each job whose stop has returned",
    () =>
      Effect.gen(function* () {
        const { cancelled, repeated, wrong } = yield* story(kills)
        expect(wrong).toEqual([])
        process.stdout.write(`compensation: ${cancelled} jobs cancelled, ${repeated} steps repeated, ${kills} kills\n`)
      }),
    600_000 + kills * 10_000
  )

  it.scopedLive(
    "is found to cancel jobs that have not compensated if a crash ends a stop",
    () =>
      Effect.gen(function* () {
        const file = "src/manager/internal/recovery.ts"
        const patch = { file, from: "if (stopping && !continuesStop)", to: "if (stopping)" }
        for (let n = 0; n < 20; n++) {
          const { wrong } = yield* story(5, [patch])
          if (wrong.some((problem) => problem.includes("is cancelled, and has only done reserve"))) return
        }
        expect.fail("it was not found")
      }),
    600_000
  )
})
