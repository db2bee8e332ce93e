/** What activities cost on SQLite, in counts that depend neither on the machine nor on its load. */
import { describe, expect, it } from "@effect/vitest"
import { Activity, Workflow } from "@effect/workflow"
import { RunStore } from "charlotte"
import { Effect, Layer, Schema } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { withEngine } from "./scene.js"

const Long = Workflow.make({
  name: "Long",
  payload: { id: Schema.Int, activities: Schema.Int },
  idempotencyKey: ({ id }) => `${id}`
})

const LongLayer = Long.toLayer(({ activities }) =>
  Effect.forEach(
    Array.from({ length: activities }, (_, n) => n),
    (n) => Activity.make({ name: `activity ${n}`, execute: Effect.void }),
    { discard: true }
  )
)

/** What each statement does, of so many executions with so many activities each. */
const statementsOf = (executions: number, activities: number) =>
  Effect.gen(function* () {
    const { clear, statements } = yield* FailingSql.FailingSql
    const ids = Array.from({ length: executions }, (_, id) => id)
    return yield* Effect.gen(function* () {
      yield* Long.execute({ id: -1, activities: 1 })
      yield* clear
      yield* Effect.forEach(ids, (id) => Long.execute({ id, activities }), { concurrency: "unbounded" })
      const executed = (yield* statements).filter((statement) => !/pragma|charlotte_generation/i.test(statement))
      return executed.map((statement) => /^\w+( INTO)?( charlotte_\w+)?/.exec(statement)?.[0])
    }).pipe(withEngine(LongLayer, { maxJobs: executions }))
  }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))))

const count = (statements: ReadonlyArray<string | undefined>, of: string) =>
  statements.filter((statement) => statement === of).length

describe("an activity", () => {
  it.live("costs one transaction on SQLite, with 2 writes and 1 read", () =>
    Effect.gen(function* () {
      const [one, eleven] = yield* Effect.all([statementsOf(1, 1), statementsOf(1, 11)])
      const difference = Object.fromEntries(
        [...new Set(eleven)].map((statement = "") => [
          statement,
          (count(eleven, statement) - count(one, statement)) / 10
        ])
      )
      expect(difference).toEqual({
        BEGIN: 1,
        SELECT: 1,
        "INSERT INTO charlotte_steps": 1,
        "INSERT INTO charlotte_events": 1,
        COMMIT: 1,
        // Those of the execution.
        "INSERT INTO charlotte_runs": 0,
        "UPDATE charlotte_runs": 0
      })
    })
  )

  it.live("shares its transaction with those of other executions: at most 0.15 commits each, of 20 at once", () =>
    Effect.gen(function* () {
      const commits = count(yield* statementsOf(20, 50), "COMMIT")
      expect(commits / (20 * 50)).toBeLessThan(0.15)
    })
  )
})
