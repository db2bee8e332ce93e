/** A manager with a schedule, and two further processes with it, each of which is killed in turn, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import type { Patch } from "../simulation/Bundle.js"
import * as Lives from "./schedules/lives.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 100 : 10))

const roles = ["manager", "beside", "beside"] as const

const story = (kills: number, patches: ReadonlyArray<Patch> = []) =>
  Effect.gen(function* () {
    const database = yield* TemporaryDirectory.file("jobs.db")
    const stored = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: database })))
    // The first one makes the file.
    yield* Effect.provide(Effect.void, stored)
    const heard = yield* Effect.scoped(Lives.story({ database, roles, kills, patches }))
    const [schedule] = yield* Effect.provide(
      Effect.flatMap(RunStore.RunStore, ({ schedules }) => schedules.list),
      stored
    )
    return { ...heard, schedule }
  })

/** Takes a tick whose job is pruned for one that is not recorded. */
const forgetful: ReadonlyArray<Patch> = [
  {
    file: "src/store/sql/schedules.ts",
    from: "return row === undefined ? at : position(row)",
    to: "return row === undefined ? at : row.since"
  },
  {
    file: "src/store/sql/schedules.ts",
    from: "(last_tick IS NULL OR last_tick < ?)",
    to: "(last_tick IS NULL OR last_tick < ? OR NOT EXISTS (SELECT 1 FROM charlotte_runs WHERE id = last_run))"
  }
]

describe("processes with a schedule that are killed", () => {
  it.scopedLive(
    "start one job for each tick, though their clocks are an hour ahead or behind, and jobs are pruned",
    () =>
      Effect.gen(function* () {
        const { jobs, problems, schedule } = yield* story(kills)
        expect(problems).toEqual([])
        expect(schedule?.skipped).toBe(0)
        process.stdout.write(`schedules: ${jobs.size} ticks with a job each, ${kills} kills\n`)
      }),
    600_000 + kills * 10_000
  )

  it.scopedLive(
    "are found to start two jobs for a tick if a tick is forgotten with its job",
    () =>
      Effect.gen(function* () {
        const { problems } = yield* story(100, forgetful)
        expect(problems.join("\n")).toMatch(/has the jobs/)
      }),
    600_000
  )
})
