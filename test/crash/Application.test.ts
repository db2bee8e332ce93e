import { describe, expect, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { fileURLToPath } from "node:url"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Agenda from "./Agenda.js"
import * as Campaign from "./application/Campaign.js"
import * as Points from "./application/Points.js"
import { enough } from "./Harness.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 200 : 15))
const seed = process.env["CRASH_SEED"] ?? "charlotte"
const worlds = Number(process.env["CRASH_WORLDS"] ?? 2)

/** So many kills hit one database; then a new one begins, so that looking through it stays quick. */
const inARow = 20

const write = (text: string) => void process.stdout.write(`${text}\n`)

describe("application killed at any point", () => {
  it.scopedLive(
    "loses no job that waits, none of its transactions, no signal, no try and no place in the queue",
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const program = yield* bundle(directory, fileURLToPath(new URL("application/main.ts", import.meta.url)))
        const agenda = Agenda.make(Points)
        const total = { kills: 0, slowest: 0, pending: 0, parked: 0, jobs: 0, completed: 0, events: 0 }
        const violations: Array<string> = []
        const figures = () =>
          `crash of an application: ${total.kills} kills (${total.pending} with pending runs, ${total.parked} with parked ones), ` +
          `${violations.length} violations, slowest recovery ${Math.round(total.slowest)} ms, ` +
          `each of ${agenda.figures().points} points hit ${agenda.figures().least} times or more; ` +
          `${total.jobs} jobs (${total.completed} completed), ${total.events} events (seed ${seed})`

        const one = (kills: number, n: number) =>
          Effect.gen(function* () {
            const { slowest, story, wrong, ...outcome } = yield* Effect.withRandom(
              Campaign.run({ program, agenda, kills }),
              Random.make(`${seed}/application/${n}`)
            )
            for (const key of ["kills", "pending", "parked", "jobs", "completed", "events"] as const)
              total[key] += outcome[key]
            total.slowest = Math.max(total.slowest, slowest)
            violations.push(...wrong.map((text) => `world ${n}, killed at ${story.slice(-3).join(", ")}: ${text}`))
            if (process.env["CRASH_PROGRESS"] !== undefined) for (const text of [...wrong, figures()]) write(text)
          })
        const sizes = Array.from({ length: Math.ceil(kills / inARow) }, (_, n) => Math.min(inARow, kills - n * inARow))
        yield* Effect.forEach(sizes, one, { concurrency: worlds, discard: true })
        write(figures())
        if (process.env["CRASH_PROGRESS"] !== undefined) for (const text of agenda.lacking()) write(text)
        expect(violations).toEqual([])
        expect(agenda.unknown(), "points that test/crash/application/Points.ts lacks").toEqual([])
        if (kills < enough) return
        expect(agenda.lacking()).toEqual([])
        expect(Math.min(total.pending, total.parked)).toBeGreaterThan(total.kills / 2)
      }),
    300_000 + kills * 6_000
  )
})
