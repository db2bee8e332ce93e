/**
 * The schema enforces its invariants on its own; these tests write to the tables directly.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStatus } from "charlotte"
import { Effect } from "effect"
import { id } from "./runs.js"
import { columns, insert, layer, refusal, type Row, run, update } from "./tables.js"

const statuses = RunStatus.RunStatus.literals

describe("charlotte_runs", () => {
  for (const from of statuses) {
    for (const to of statuses) {
      // Only a run that is over may not be updated without a change of status.
      const allowed = RunStatus.canBecome(from, to) || (from === to && !RunStatus.isTerminal(from))
      it.effect(`${allowed ? "allows" : "forbids"} the transition from ${from} to ${to}`, () =>
        Effect.gen(function* () {
          yield* insert("charlotte_runs", run(from))
          const attempt = (from === "interrupted" || from === "parked") && to === "running" ? 2 : 1
          const change = update("charlotte_runs", { status: to, attempt, ...columns[to] })
          if (allowed) yield* change
          else expect(yield* refusal(change)).toBe("charlotte: this change of status is not in the state machine")
        }).pipe(Effect.provide(layer))
      )
    }
  }

  it.effect("increments the attempt only when an interrupted or parked run is resumed, and by one", () =>
    Effect.gen(function* () {
      const refused = "charlotte: an interrupted or parked run goes on as its next attempt, and nothing else begins one"
      yield* insert("charlotte_runs", run("running", { attempt: 3 }))
      for (const attempt of [2, 4]) {
        expect(yield* refusal(update("charlotte_runs", { attempt }))).toBe(refused)
        expect(yield* refusal(update("charlotte_runs", { attempt, status: "interrupted" }))).toBe(refused)
      }
      yield* update("charlotte_runs", { status: "interrupted", waits_for: "permit" })
      for (const attempt of [2, 3, 5]) {
        expect(yield* refusal(update("charlotte_runs", { attempt, status: "running" }))).toBe(refused)
      }
      expect(yield* refusal(update("charlotte_runs", { attempt: 4, ...columns.cancelled, status: "cancelled" }))).toBe(
        refused
      )
      yield* update("charlotte_runs", { attempt: 4, ...columns.running, status: "running" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("forbids changes of what a run was submitted with", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("running"))
      const changes = [
        { id: id(2) },
        { kind: "other" },
        { config: "[]" },
        { labels: '{"a":"b"}' },
        { created_at: 7 },
        { submission: "1" },
        { start_at: 1 },
        { start_key: "a" },
        { idempotency_key: "a", request: "b" }
      ]
      for (const change of changes) {
        expect(yield* refusal(update("charlotte_runs", change))).toBe(
          "charlotte: what a run was submitted with never changes"
        )
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("allows changing the priority until the end, and the start time before the first attempt", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("pending"))
      yield* update("charlotte_runs", { priority: 1, start_at: 5 })
      yield* update("charlotte_runs", { ...columns.failed, status: "failed" })
      for (const change of [{ priority: 2 }, { start_at: 6 }]) yield* refusal(update("charlotte_runs", change))
    }).pipe(Effect.provide(layer))
  )

  it.effect("allows recording a submission of a pending run that has none, once", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("pending"))
      yield* update("charlotte_runs", { submission: "1" })
      expect(yield* refusal(update("charlotte_runs", { submission: "2" }))).toBe(
        "charlotte: what a run was submitted with never changes"
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("forbids any status but pending in the outbox", () =>
    Effect.gen(function* () {
      for (const status of statuses.filter((status) => status !== "pending")) {
        expect(yield* refusal(insert("charlotte_runs", run(status, { outbox: 1 })))).toContain(
          "CHECK constraint failed"
        )
      }
      yield* insert("charlotte_runs", run("pending", { outbox: 1 }))
      const begins = update("charlotte_runs", { ...columns.running, status: "running" })
      expect(yield* refusal(begins)).toContain("CHECK constraint failed")
    }).pipe(Effect.provide(layer))
  )

  it.effect("allows to pin a run of any status, and to prune only one that has ended and is not pinned, for good", () =>
    Effect.gen(function* () {
      const refused = "charlotte: only a run that has ended and is not pinned is pruned, and for good"
      for (const [n, status] of statuses.entries()) {
        const row = { id: id(n + 1) }
        const set = (column: "pinned" | "pruned", value: number) =>
          Effect.flatMap(
            SqlClient.SqlClient,
            (sql) => sql`UPDATE charlotte_runs SET ${sql(column)} = ${value} WHERE id = ${row.id}`
          )
        yield* insert("charlotte_runs", run(status, row))
        yield* set("pinned", 1)
        expect(yield* refusal(set("pruned", 1))).toBe(refused)
        yield* set("pinned", 0)
        if (!RunStatus.isTerminal(status)) expect(yield* refusal(set("pruned", 1))).toBe(refused)
        else {
          yield* set("pruned", 1)
          expect(yield* refusal(set("pruned", 0))).toBe(refused)
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("forbids changing or removing a submission", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("running", { submission: "1" }))
      for (const submission of ["2", null]) {
        expect(yield* refusal(update("charlotte_runs", { submission }))).toBe(
          "charlotte: what a run was submitted with never changes"
        )
      }
      yield* update("charlotte_runs", { submission: "1", ...columns.completed, status: "completed" })
    }).pipe(Effect.provide(layer))
  )

  for (const key of ["key", "start_key"]) {
    it.effect(`lets one run of a kind hold a ${key}, and others wait behind it`, () =>
      Effect.gen(function* () {
        const taken = `UNIQUE constraint failed: charlotte_runs.kind, charlotte_runs.${key}`
        yield* insert("charlotte_runs", run("running", { [key]: "a" }))
        for (const status of ["running", "pending", "interrupted", "parked"] as const) {
          expect(yield* refusal(insert("charlotte_runs", run(status, { id: id(2), [key]: "a" })))).toBe(taken)
        }
        yield* insert("charlotte_runs", run("pending", { id: id(2), [key]: "a", waits_for: "key" }))
        yield* insert("charlotte_runs", run("interrupted", { id: id(3), [key]: "a", waits_for: "key" }))
        yield* insert("charlotte_runs", run("completed", { id: id(4), [key]: "a" }))
        yield* insert("charlotte_runs", run("running", { id: id(5), [key]: "a", kind: "other" }))
        const sql = yield* SqlClient.SqlClient
        const granted = sql`UPDATE charlotte_runs SET waits_for = 'permit' WHERE status = 'pending'`
        expect(yield* refusal(granted)).toBe(taken)
      }).pipe(Effect.provide(layer))
    )
  }

  const refusals: ReadonlyArray<readonly [what: string, row: Row]> = [
    ["an invalid id", run("running", { id: "x" })],
    ["a missing id", run("running", { id: null })],
    ["an empty kind", run("running", { kind: "" })],
    ["an unknown status", run("running", { status: "sleeping" })],
    ["a pending run that waits for nothing", run("pending", { waits_for: null })],
    ["a running run that waits", run("running", { waits_for: "permit" })],
    ["a parked run without what it waits for", run("parked", { parked: null })],
    ["a run that waits for a time without one", run("pending", { waits_for: "time" })],
    ["an idempotency key without its request", run("running", { idempotency_key: "a" })],
    ["an attempt before the first", run("running", { attempt: 0 })],
    ["an attempt that is not a number", run("running", { attempt: "first" })],
    ["a configuration that is not JSON", run("running", { config: "{" })],
    ["a submission that is not JSON", run("running", { submission: "{" })],
    ["labels that are not JSON", run("running", { labels: "{" })],
    ["labels that are not an object", run("running", { labels: "[]" })],
    ["a negative crash count", run("running", { crashes: -1 })],
    ["a result that is not JSON", run("completed", { result: "{" })],
    ["an error that is not JSON", run("failed", { error: "{" })],
    ["a completed run without a result", run("completed", { result: null })],
    ["a completed run with an error", run("completed", { error: "{}" })],
    ["a failed run without an error", run("failed", { error: null })],
    ["a failed run with a result", run("failed", { result: "1" })],
    ["a cancelled run with a result", run("cancelled", { result: "1" })],
    ["a terminal run without an end time", run("completed", { ended_at: null })],
    ["a running run with an end time", run("running", { ended_at: 2 })],
    ["an interrupted run with an end time", run("interrupted", { ended_at: 2 })],
    ["a running run with an error", run("running", { error: "{}" })],
    ["a running run without a start time", run("running", { started_at: null })],
    ["a pending run with a start time", run("pending", { started_at: 1 })],
    ["a pending run that is stopping", run("pending", { stopping_at: 1 })],
    ["an interrupted run that is stopping", run("interrupted", { stopping_at: 1 })]
  ]

  for (const [what, row] of refusals) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function* () {
        expect(yield* refusal(insert("charlotte_runs", row))).toMatch(
          /constraint failed|cannot store|malformed JSON|no such status/
        )
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("accepts a cancelled run with an error, and one that never started", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("cancelled", { error: "{}", stopping_at: 1 }))
      yield* insert("charlotte_runs", run("cancelled", { id: id(2), started_at: null }))
    }).pipe(Effect.provide(layer))
  )
})

describe("charlotte_events", () => {
  const event = (seq: number, type: string, with_: Row = {}): Row => ({ job_id: id(1), seq, at: 0, type, ...with_ })

  it.effect("accepts one terminal event per run, matching its status", () =>
    Effect.gen(function* () {
      const disagrees = "charlotte: a terminal event says what the status of its run says"
      for (const [n, status] of statuses.entries()) {
        const with_ = { job_id: id(n) }
        yield* insert("charlotte_runs", run(status, { id: id(n) }))
        for (const end of ["completed", "failed", "cancelled"]) {
          const write = insert("charlotte_events", event(1, `job.${end}`, with_))
          if (end === status) yield* write
          else expect(yield* refusal(write)).toMatch(disagrees)
        }
        if (RunStatus.isTerminal(status)) {
          expect(yield* refusal(insert("charlotte_events", event(2, `job.${status}`, with_)))).toBe(
            "UNIQUE constraint failed: charlotte_events.job_id"
          )
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("forbids updates of events", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("running"))
      yield* insert("charlotte_events", event(1, "job.started"))
      for (const change of [{ type: "x" }, { seq: 2 }, { payload: "1" }, { cursor: 7 }]) {
        expect(yield* refusal(update("charlotte_events", change))).toBe("charlotte: events are append-only")
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("never reuses a cursor", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* insert("charlotte_runs", run("running"))
      yield* insert("charlotte_events", event(1, "a"))
      yield* insert("charlotte_events", event(2, "b"))
      yield* sql`DELETE FROM charlotte_events WHERE seq = 2`
      yield* insert("charlotte_events", event(3, "c"))
      expect(yield* sql`SELECT cursor FROM charlotte_events`).toEqual([{ cursor: 1 }, { cursor: 3 }])
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses a duplicate or missing sequence number, an empty type, and an unknown run", () =>
    Effect.gen(function* () {
      yield* insert("charlotte_runs", run("running"))
      yield* insert("charlotte_events", event(1, "a"))
      for (const row of [event(1, "b"), event(0, "b"), event(2, ""), event(2, "b", { job_id: id(2) })]) {
        expect(yield* refusal(insert("charlotte_events", row))).toContain("constraint failed")
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("charlotte_labels", () => {
  it.effect("are inserted and deleted with their run", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* insert("charlotte_runs", run("completed", { labels: '{"a":"1","b":"2"}' }))
      const labels = sql`SELECT name, value, run_id FROM charlotte_labels ORDER BY name`
      expect(yield* labels).toEqual([
        { name: "a", value: "1", run_id: id(1) },
        { name: "b", value: "2", run_id: id(1) }
      ])
      yield* sql`DELETE FROM charlotte_runs`
      expect(yield* labels).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})

describe("charlotte_attempts", () => {
  it.effect("refuses an unknown run, a duplicate cookie, and an attempt below 1", () =>
    Effect.gen(function* () {
      const process = { cookie: "a", job_id: id(1), attempt: 1, boot_id: "b", purpose: "agent", opened_at: 0 }
      expect(yield* refusal(insert("charlotte_attempts", process))).toBe("FOREIGN KEY constraint failed")
      yield* insert("charlotte_runs", run("running"))
      yield* insert("charlotte_attempts", process)
      expect(yield* refusal(insert("charlotte_attempts", process))).toContain("UNIQUE constraint failed")
      expect(yield* refusal(insert("charlotte_attempts", { ...process, cookie: "c", attempt: 0 }))).toContain("CHECK")
    }).pipe(Effect.provide(layer))
  )
})
