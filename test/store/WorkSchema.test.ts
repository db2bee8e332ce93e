/**
 * The schema of units and tasks enforces its invariants on its own.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Work } from "charlotte"
import { Effect } from "effect"
import { id } from "./runs.js"
import { insert, layer, refusal, type Row, run, update } from "./tables.js"

/** A unit or task with all columns that any state requires. */
const unit = (with_: Row = {}): Row => ({
  job_id: id(1),
  unit: "a",
  position: 0,
  depends_on: "[]",
  state: "pending",
  commit_id: "0",
  reason: "x",
  ...with_
})
const task = (with_: Row = {}): Row => ({
  job_id: id(1),
  unit: "a",
  task: 1,
  position: 0,
  title: "",
  state: "pending",
  failures: 0,
  calls: 0,
  commit_id: "0",
  reason: "x",
  notes: "[]",
  ...with_
})

const tables = {
  charlotte_units: {
    row: unit,
    states: Work.UnitState.literals,
    over: ["merged", "failed", "blocked", "skipped"],
    refusal: "charlotte: a unit that is over stays as it ended",
    // A unit with a further task.
    again: { merged: "running", skipped: "running" },
    refused: {
      "a unit without a name": unit({ unit: "" }),
      "a unit before the first": unit({ position: -1 }),
      "what a unit depends on when that is no list": unit({ depends_on: "{}" }),
      "what a unit depends on when that is no JSON": unit({ depends_on: "[" }),
      "a state that is none": unit({ state: "completed" }),
      "a merged unit without a commit": unit({ state: "merged", commit_id: null }),
      "a failed unit without a reason": unit({ state: "failed", reason: null })
    },
    sameName: unit({ position: 1 }),
    samePosition: unit({ unit: "b" })
  },
  charlotte_tasks: {
    row: task,
    states: Work.TaskState.literals,
    over: ["completed", "failed", "skipped"],
    refusal: "charlotte: a task that is over stays as it ended",
    again: {},
    refused: {
      "a task before the first": task({ task: 0 }),
      "a task at no position": task({ position: -1 }),
      "a task without a title": task({ title: null }),
      "a state that is none": task({ state: "merged" }),
      "fewer than no failures": task({ failures: -1 }),
      "fewer than no calls": task({ calls: -1 }),
      "notes that are no list": task({ notes: "{}" }),
      "notes that are no JSON": task({ notes: "[" }),
      "a completed task without a commit": task({ state: "completed", commit_id: null }),
      "a failed task without a reason": task({ state: "failed", reason: null })
    },
    sameName: task({ position: 1 }),
    samePosition: task({ task: 2 })
  }
}

const planned = Effect.gen(function* () {
  yield* insert("charlotte_runs", run("running"))
  yield* insert("charlotte_units", unit())
  yield* insert("charlotte_tasks", task())
})

for (const [table, { again, over, refusal: message, refused, row, sameName, samePosition, states }] of Object.entries(
  tables
)) {
  describe(`${table}`, () => {
    for (const from of states) {
      const stays = over.includes(from)
      it.effect(`${stays ? "forbids" : "allows"} transitions from ${from}`, () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          for (const to of states) {
            yield* sql`DELETE FROM charlotte_runs`
            yield* planned
            yield* update(table, { state: from })
            const change = update(table, { state: to, ended_at: 9 })
            if (
              stays &&
              from !== to &&
              Object.entries(again).every(([before, after]) => before !== from || after !== to)
            )
              expect(yield* refusal(change)).toBe(message)
            else yield* change
          }
        }).pipe(Effect.provide(layer))
      )
    }

    for (const [what, row] of Object.entries(refused)) {
      it.effect(`refuses ${what}`, () =>
        Effect.gen(function* () {
          yield* planned
          const sql = yield* SqlClient.SqlClient
          yield* sql`DELETE FROM ${sql(table)}`
          expect(yield* refusal(insert(table, row))).toMatch(/constraint failed|malformed JSON/)
        }).pipe(Effect.provide(layer))
      )
    }

    it.effect("refuses a duplicate name, a duplicate position, and an unknown job", () =>
      Effect.gen(function* () {
        yield* planned
        expect(yield* refusal(insert(table, sameName))).toContain("UNIQUE constraint failed")
        expect(yield* refusal(insert(table, samePosition))).toContain("UNIQUE constraint failed")
        expect(yield* refusal(insert(table, row({ job_id: id(2) })))).toBe("FOREIGN KEY constraint failed")
      }).pipe(Effect.provide(layer))
    )

    it.effect("is deleted with its run", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* planned
        yield* sql`DELETE FROM charlotte_runs`
        expect(yield* sql`SELECT * FROM ${sql(table)}`).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  })
}

describe("charlotte_tasks", () => {
  it.effect("refuses a task of an unknown unit", () =>
    Effect.gen(function* () {
      yield* planned
      expect(yield* refusal(insert("charlotte_tasks", task({ unit: "b" })))).toBe("FOREIGN KEY constraint failed")
    }).pipe(Effect.provide(layer))
  )
})
