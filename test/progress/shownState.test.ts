import { describe, expect, it } from "vitest"
import { RunStatus } from "../../src/domain/RunStatus.js"
import { shownCounts, shownState } from "../../src/progress/shownState.js"

describe("the state that is shown of a unit or a task", () => {
  it("is running only while its job is", () => {
    expect(Object.fromEntries(RunStatus.literals.map((status) => [status, shownState("running", status)]))).toEqual({
      pending: "interrupted",
      running: "running",
      interrupted: "interrupted",
      parked: "waiting",
      completed: "interrupted",
      failed: "interrupted",
      cancelled: "interrupted"
    })
  })

  it("is the recorded one if that is not running", () => {
    for (const status of RunStatus.literals)
      for (const state of ["pending", "completed", "failed", "waiting"]) expect(shownState(state, status)).toBe(state)
  })

  it("is counted as it is shown", () => {
    const counts = { pending: 1, running: 2, completed: 3, failed: 0, skipped: 0 }
    expect(shownCounts(counts, "running")).toEqual(counts)
    expect(shownCounts(counts, "parked")).toEqual({ ...counts, running: 0, waiting: 2 })
    expect(shownCounts(counts, "cancelled")).toEqual({ ...counts, running: 0, interrupted: 2 })
  })
})
