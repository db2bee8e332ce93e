import { describe, expect, it } from "@effect/vitest"
import { type Ended, isUnlanded } from "../../src/progress/isUnlanded.js"

const id = "01KB3N5QZ4M6Y2V8T7R1S9W0XE"

const of = (fields: Partial<Ended>) =>
  isUnlanded({ kind: "tasks", status: "failed", units: [{ unit: "a", state: "merged" }], tasks: [], ...fields })

const stopped = (state: string) =>
  of({ status: "cancelled", units: [{ unit: "a", state: "interrupted" }], tasks: [{ unit: "a", state }] })

describe("work that has not landed", () => {
  it("is what an ended job has merged or finished", () => {
    expect(of({})).toBe(true)
    expect(of({ status: "completed", result: { branch: "b" } })).toBe(true)
    expect([stopped("completed"), stopped("interrupted")]).toEqual([true, false])
    expect(of({ units: [{ unit: "a", state: "failed" }] })).toBe(false)
  })

  it("may be in the base of a retry", () => {
    const units = [{ unit: "a", state: "skipped" }]
    expect(of({ units })).toBe(false)
    expect(of({ units, config: { retryOf: id } })).toBe(true)
    expect(of({ units, config: { retryOf: id, landOf: id } })).toBe(false)
  })

  it("is none of a job that another one retries, or whose work another one has landed", () => {
    expect(of({ retriedAs: id })).toBe(false)
    expect(of({ landedAs: id })).toBe(false)
  })

  it("is none of a job that may go on, has landed or was proposed, was rejected, or is of another kind", () => {
    for (const status of ["running", "parked", "pending", "interrupted"] as const) expect(of({ status })).toBe(false)
    expect(of({ status: "completed", result: { landed: "1a2b" } })).toBe(false)
    expect(of({ error: { error: { landed: ["a"] } } })).toBe(false)
    expect(of({ status: "completed", result: { pullRequest: { isOpen: true } } })).toBe(false)
    expect(of({ error: { error: { _tag: "ResultRejected" } } })).toBe(false)
    expect(of({ kind: "email" })).toBe(false)
    expect(of({ config: { dryRun: true } })).toBe(false)
  })
})
