import { describe, expect, it } from "vitest"
import { RunStatus } from "../../src/domain/RunStatus.js"
import { applyEvent, ofEvents } from "../../src/progress/applyEvent.js"
import { shownCounts, shownState, shownUnit, shownWork } from "../../src/progress/shownState.js"
import { task, unit } from "../store/work.js"

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

describe("the state of a unit with an open question", () => {
  it("is needs-answer until the unit or its job is over", () => {
    expect(
      Object.fromEntries(RunStatus.literals.map((status) => [status, shownUnit("running", status, true)]))
    ).toEqual({
      pending: "needs-answer",
      running: "needs-answer",
      interrupted: "needs-answer",
      parked: "needs-answer",
      completed: "interrupted",
      failed: "interrupted",
      cancelled: "interrupted"
    })
    for (const state of ["merged", "failed", "blocked", "skipped"] as const)
      expect(shownUnit(state, "parked", true)).toBe(state)
    expect(shownUnit("running", "parked", false)).toBe("waiting")
  })

  it("follows from the record in the same way as from the events", () => {
    const asked = { unit: "api", task: 1, question: "Which port?" }
    const recorded = shownWork(
      { units: [unit("api", 0, { state: "running" })], tasks: [task("api", 1, 0, { state: "running" })] },
      "parked",
      [asked]
    )
    const model = ofEvents(
      [
        { type: "job.started", payload: { attempt: 1 } },
        { type: "task.started", unit: "api", task: 1, payload: { title: "", attempt: 1 } },
        { type: "unit.asked", unit: "api", payload: { task: 1, question: "Which port?" } },
        { type: "job.parked", payload: { reason: "api asks", signal: "charlotte.resume", questions: 1 } }
      ].map((event, index) => ({ ...event, seq: index + 1, at: index }))
    )
    expect([recorded.units[0]?.state, recorded.tasks[0]?.state]).toEqual(["needs-answer", "waiting"])
    const known = model.units.get("api")
    expect([known?.state, known?.tasks.get(1)?.state, known?.question]).toEqual([
      "needs-answer",
      "waiting",
      "Which port?"
    ])
    applyEvent(model, { type: "unit.answered", unit: "api", seq: 5, at: 5, payload: { task: 1, answer: "8080" } })
    expect([known?.state, known?.question]).toEqual(["waiting", undefined])
  })
})
