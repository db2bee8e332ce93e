/** A worker that does jobs of 20 steps, and is killed again and again, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobId, RunStore } from "charlotte"
import { Effect, Layer, Random } from "effect"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import { type Patch, patching } from "../simulation/Bundle.js"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Killed from "./killedProcess.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 100 : 10))

/** How many further lines are heard before the next kill. */
const [least, most] = [1, 30]

/** What the processes did and said, and what is recorded in the end. */
interface Story {
  /** The values that each step has returned, by job and number. */
  readonly got: ReadonlyMap<string, ReadonlySet<string>>
  /** How often each step has run. */
  readonly ran: ReadonlyMap<string, number>
  /** The recorded value of each step. */
  readonly recorded: ReadonlyMap<string, string>
  readonly wrong: ReadonlyArray<string>
  readonly violations: ReadonlyArray<unknown>
}

const story = (kills: number, patches: ReadonlyArray<Patch> = []) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const main = fileURLToPath(new URL("steps/main.ts", import.meta.url))
    const program = yield* bundle(directory, main, [patching(patches)])
    const [filename, appended] = [`${directory}/jobs.db`, `${directory}/appended`]
    const stored = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))
    const wrong: Array<string> = []
    const got = new Map<string, Set<string>>()
    let heard = 0
    const hear = (line: string) => {
      heard += 1
      const [, id, n, value = ""] = line.split(" ")
      const step = `${id} ${n}`
      got.set(step, (got.get(step) ?? new Set()).add(value))
    }
    for (let n = 0; n < kills && wrong.length === 0; n++) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Killed.live(program, [filename, appended], { hear, wrong: (problem) => void wrong.push(problem) })
          const until = heard + (yield* Random.nextIntBetween(least, most))
          yield* Effect.repeat(Effect.sleep(1), { until: () => heard >= until || wrong.length > 0 })
        })
      )
    }

    const ran = new Map<string, number>()
    const lines = (yield* Effect.promise(() => readFile(appended, "utf8"))).trimEnd().split("\n")
    for (const line of lines) ran.set(line, (ran.get(line) ?? 0) + 1)
    return yield* Effect.gen(function* () {
      const { steps } = yield* RunStore.RunStore
      const recorded = new Map<string, string>()
      for (const id of new Set([...ran.keys()].map((step) => step.slice(0, 26)))) {
        for (const { name, value = "" } of yield* steps.recall(JobId.make(id)))
          recorded.set(`${id} ${name.slice("append ".length)}`, JSON.parse(value))
      }
      const { violations } = yield* Audit.run()
      const all: Story = { got, ran, recorded, wrong, violations }
      return all
    }).pipe(Effect.provide(stored))
  })

const judge = ({ got, ran, recorded, wrong }: Story): ReadonlyArray<string> => [
  ...wrong,
  ...[...got].flatMap(([step, values]) => {
    const [value = "", ...others] = values
    if (others.length > 0) return [`step ${step} has returned ${[...values].join(" and ")}`]
    return recorded.get(step) === value ? [] : [`step ${step} has returned ${value}, which is not recorded`]
  }),
  ...[...recorded.keys()].flatMap((step) => (ran.has(step) ? [] : [`step ${step} is recorded, and has not run`]))
]

describe("a worker that is killed between and in steps", () => {
  it.scopedLive(
    "has recorded each step that it returned, once and with that value, and repeats at most one step of a job a crash",
    () =>
      Effect.gen(function* () {
        const ending = yield* story(kills)
        expect(judge(ending)).toEqual([])
        expect(ending.violations).toEqual([])
        const repeated = [...ending.ran.values()].reduce((sum, times) => sum + times - 1, 0)
        // Two jobs run at once.
        expect(repeated).toBeLessThanOrEqual(2 * kills)
        process.stdout.write(`steps: ${ending.recorded.size} recorded, ${repeated} repeated, ${kills} kills\n`)
      }),
    600_000 + kills * 10_000
  )

  it.scopedLive(
    "is found to return what is not recorded if a step returns before its commit",
    () =>
      Effect.gen(function* () {
        const file = "src/manager/internal/steps.ts"
        const from = "            yield* record(state, name, kept, millis)\n"
        const to = "            yield* core.fork(Effect.delay(record(state, name, kept, millis), 10_000))\n"
        expect(judge(yield* story(5, [{ file, from, to }])).join("\n")).toMatch(/has returned/)
      }),
    600_000
  )
})
