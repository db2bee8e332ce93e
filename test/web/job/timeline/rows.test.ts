import { describe, expect, it } from "@effect/vitest"
import { ofEvents } from "../../../../src/progress/applyEvent.js"
import { boxOf, rows } from "../../../../src/web/job/timeline/rows.js"
import { move, ticks, zoom } from "../../../../src/web/job/timeline/timeScale.js"
import { at, attempt, events, plan } from "../events.js"

describe("the rows of a timeline", () => {
  const model = ofEvents(
    events(
      [0, "job.started", { attempt: 1 }],
      [0, "orch.started", plan({ api: [], web: ["api"], later: ["web"] })],
      [1, "unit.started", {}, "api"],
      [1, "unit.setup.started", { command: "npm ci", attempt: 1 }, "api"],
      ...attempt(3, 1, "api", false),
      [12, "task.retry", { attempt: 1, reason: "the gate exited with 1", pause: 1000 }, "api", 1],
      ...attempt(13, 2, "api", true),
      [22, "task.completed", { attempt: 2, commit: "abc" }, "api", 1],
      [23, "unit.merged", { commit: "abc", fastForward: true }, "api"],
      [23, "unit.started", {}, "web"],
      [24, "unit.waiting", { reason: "claude is at its usage limit" }, "web"],
      [25, "job.parked", { reason: "claude is at its usage limit" }],
      [99, "job.resumed", { attempt: 2 }]
    )
  )

  it("has the job with its phases, and units and tasks that have begun", () => {
    const { idleUnits, rows: all } = rows(model, new Set())
    expect(idleUnits).toBe(1)
    expect(all.map(({ kind, label }) => [kind, label])).toEqual([
      ["job", "job"],
      ["unit", "api"],
      ["task", "1 Do api"],
      ["unit", "web"]
    ])
    expect(all.map(({ place }) => [place.at, place.of])).toEqual([
      [1, 3],
      [2, 3],
      [1, 1],
      [3, 3]
    ])
    expect(all[0]?.bars.map(({ look, text }) => [text, look])).toEqual([
      ["attempt 1 of the job", "good"],
      ["parked: claude is at its usage limit", "warn"],
      ["attempt 2 of the job", "running"]
    ])
    expect(all[1]?.bars.map(({ kind, look }) => [kind, look])).toEqual([
      ["unit", "good"],
      ["setup", "good"]
    ])
    expect(all[2]?.bars.map(({ kind, look, text }) => [kind, look, text])).toEqual([
      ["attempt", "bad", "attempt 1: the gate exited with 1"],
      ["agent", "good", "agent claude"],
      ["gate", "bad", "gate npm test: exited with 1"],
      ["attempt", "good", "attempt 2"],
      ["agent", "good", "agent claude"],
      ["gate", "good", "gate npm test"],
      ["pause", "idle", "pause before the next attempt"]
    ])
    expect(all[3]?.bars[1]).toMatchObject({ kind: "waiting", look: "idle", from: at(24), to: at(25) })
  })

  it("closes a unit by hand, and opens those of a large plan only that are at work", () => {
    expect(rows(model, new Set(["api"])).rows.map(({ label }) => label)).toEqual(["job", "api", "web"])
    const units = Array.from({ length: 100 }, (_, at) => `u${at}`)
    const large = ofEvents(
      events(
        ...units.flatMap((unit) => attempt(1, 1, unit, true)),
        ...units.slice(1).map((unit) => [20, "unit.merged", { commit: "x" }, unit] as const),
        [21, "unit.failed", { reason: "no" }, "u0"]
      )
    )
    expect(
      rows(large, new Set())
        .rows.filter(({ kind }) => kind === "task")
        .map(({ unit }) => unit)
    ).toEqual(["u0"])
    expect(rows(large, new Set(["u7"])).rows.filter(({ kind }) => kind === "task")).toHaveLength(2)
  })

  it("places a bar in a range, one that goes on up to now, and none outside", () => {
    const bar = { kind: "agent", look: "running", text: "" } as const
    expect(boxOf({ ...bar, from: 10, to: 20 }, { from: 0, to: 100 }, 0)).toEqual({ x: 0.1, width: 0.1 })
    expect(boxOf({ ...bar, from: 10, to: undefined }, { from: 0, to: 100 }, 60)).toEqual({ x: 0.1, width: 0.5 })
    expect(boxOf({ ...bar, from: 10, to: 200 }, { from: 50, to: 100 }, 0)).toEqual({ x: 0, width: 1 })
    expect(boxOf({ ...bar, from: 10, to: 20 }, { from: 50, to: 100 }, 0)).toBeUndefined()
  })
})

describe("the scale of a timeline", () => {
  const bounds = { from: 0, to: 3_600_000 }

  it("zooms around a time, and never beyond the job", () => {
    expect(zoom(bounds, 0.5, 900_000, bounds)).toEqual({ from: 450_000, to: 2_250_000 })
    expect(zoom({ from: 450_000, to: 2_250_000 }, 10, 900_000, bounds)).toEqual(bounds)
    const close = zoom(bounds, 1e-9, 5_000, bounds)
    expect(close.to - close.from).toBe(1_000)
  })

  it("moves by a share of what is shown, up to the ends", () => {
    const part = { from: 600_000, to: 1_200_000 }
    expect(move(part, 0.5, bounds)).toEqual({ from: 900_000, to: 1_500_000 })
    expect(move(part, -5, bounds)).toEqual({ from: 0, to: 600_000 })
    expect(move(part, 50, bounds)).toEqual({ from: 3_000_000, to: 3_600_000 })
  })

  it("has ticks at round times, no more than fit", () => {
    const found = ticks({ from: at(0) + 1, to: at(3_600) }, 8)
    expect(found.length).toBeGreaterThan(2)
    expect(found.length).toBeLessThanOrEqual(8)
    expect(found.every(({ at }) => at % 600_000 === 0)).toBe(true)
    expect(ticks({ from: at(0), to: at(2) }, 5)).toHaveLength(3)
    expect(ticks({ from: 0, to: 1e13 }, 4).length).toBeLessThanOrEqual(5)
  })
})
