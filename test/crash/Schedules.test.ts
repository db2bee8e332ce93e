/** A manager with a schedule, and two further processes with it, each of which is killed in turn, on one SQLite file. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Lives from "./schedules/lives.js"

const kills = Number(process.env["CRASH_KILLS"] ?? (isLong ? 100 : 10))

const roles = ["manager", "beside", "beside"] as const

const story = Effect.gen(function* () {
  const database = yield* TemporaryDirectory.file("jobs.db")
  const stored = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: database })))
  // The first one makes the file.
  yield* Effect.provide(Effect.void, stored)
  const heard = yield* Effect.scoped(Lives.story({ database, roles, kills }))
  const [schedule] = yield* Effect.provide(
    Effect.flatMap(RunStore.RunStore, ({ schedules }) => schedules.list),
    stored
  )
  return { ...heard, schedule }
})

describe("processes with a schedule that are killed", () => {
  it.scopedLive(
    "start one job for each tick, though their clocks are an hour ahead or behind, and jobs are pruned",
    () =>
      Effect.gen(function* () {
        const { jobs, problems, schedule } = yield* story
        expect(problems).toEqual([])
        expect(schedule?.skipped).toBe(0)
        process.stdout.write(`schedules: ${jobs.size} ticks with a job each, ${kills} kills\n`)
      }),
    600_000 + kills * 10_000
  )
})
