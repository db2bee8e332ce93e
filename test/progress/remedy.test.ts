import { describe, expect, it } from "@effect/vitest"
import { workflowKind } from "../../src/domain/workflowKind.js"
import * as remedy from "../../src/progress/remedy.js"

const failedWith = (error: unknown) =>
  ({ id: "J", kind: "tasks", status: "failed", error: { error, cause: "the cause" } }) as const

const parkedFor = (signal: string | undefined, more = {}) =>
  ({ id: "J", kind: "tasks", status: "parked", parked: { reason: "why", signal, ...more } }) as const

describe("the command that helps a job", () => {
  it("answers its first question, approves it, raises its limits, sends its signal, or resumes it", () => {
    const questions = [
      { unit: "api", question: "Which port?" },
      { unit: "web", question: "Which colour?" }
    ]
    const parked = parkedFor("charlotte.resume")
    expect(remedy.commandFor({ ...parked, questions })).toBe('charlotte answer J api "…"')
    expect(remedy.commandFor(parkedFor("charlotte.approval"))).toBe("charlotte approve J")
    expect(remedy.commandFor(parkedFor("charlotte.resume", { limits: { usd: 2 } }))).toBe("charlotte resume J --usd 4")
    expect(remedy.commandFor(parkedFor("paid"))).toBe("charlotte signal J paid")
    expect(remedy.commandFor(parked)).toBe("charlotte resume J")
    expect(remedy.commandFor({ id: "J", kind: "tasks", status: "interrupted" })).toBe("charlotte resume J")
  })

  it("retries what has failed, lands what could not land, and otherwise shows the job", () => {
    expect(remedy.commandFor(failedWith("no"))).toBe("charlotte retry J")
    expect(remedy.commandFor(failedWith({ _tag: "LandingBlocked", command: "charlotte land J" }))).toBe(
      "charlotte land J"
    )
    expect(remedy.commandFor({ ...failedWith("no"), retriedAs: "K" })).toBe("charlotte show J")
    expect(remedy.commandFor({ id: "J", kind: "tasks", status: "completed" })).toBe("charlotte show J")
    expect(remedy.commandFor({ ...failedWith("no"), kind: workflowKind("Order") })).toBe("charlotte show J")
  })
})

describe("the reason why a job needs a person", () => {
  it("is its questions, why it waits, or its error", () => {
    const parked = parkedFor("charlotte.resume")
    expect(remedy.reasonFor({ ...parked, questions: [{ unit: "api", question: "Which port?" }] })).toBe(
      "api asks: Which port?"
    )
    expect(remedy.reasonFor(parked)).toBe("why")
    expect(remedy.reasonFor(failedWith("no such file"))).toBe("no such file")
    expect(remedy.reasonFor(failedWith(undefined))).toBe("the cause")
    expect(remedy.reasonFor({ id: "J", kind: "tasks", status: "interrupted" })).toBe(
      "it was cut short, and nothing runs it"
    )
  })
})
