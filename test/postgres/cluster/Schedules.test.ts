/** Three nodes with one schedule, each of which is killed in turn. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Lives from "../../crash/schedules/lives.js"
import { isLong } from "../../support/long.js"
import * as TestDatabase from "../database.js"
import { freePort } from "./nodes.js"

const kills = Number(process.env["CLUSTER_KILLS"] ?? (isLong ? 100 : 5))

describe("nodes with a schedule that are killed", () => {
  it.scopedLive(
    "start one job for each tick, though their clocks are an hour ahead or behind, and jobs are pruned",
    () =>
      Effect.gen(function* () {
        const database = yield* TestDatabase.make
        const { jobs, problems } = yield* Lives.story({
          database,
          kills,
          roles: ["node", "node", "node"],
          addressed: Effect.map(freePort, (port) => `127.0.0.1:${port}`)
        })
        expect(problems).toEqual([])
        expect(yield* TestDatabase.rowsOf(database, "SELECT skipped FROM charlotte_schedules")).toEqual([
          { skipped: "0" }
        ])
        process.stdout.write(`schedules: ${jobs.size} ticks with a job each, ${kills} kills\n`)
      }),
    600_000 + kills * 30_000
  )
})
