import { describe, expect, it } from "vitest"
import { canResume } from "../../../src/web/jobs/bulk.js"

describe("the jobs that Resume acts on", () => {
  it("are interrupted, or parked for something else than an approval or a permit", () => {
    expect(canResume({ status: "interrupted" })).toBe(true)
    expect(canResume({ status: "parked", waitsFor: "time", parked: {} })).toBe(true)
    expect(canResume({ status: "parked", waitsFor: "signal", parked: { signal: "charlotte.resume" } })).toBe(true)
    expect(canResume({ status: "parked", waitsFor: "signal", parked: { signal: "charlotte.approval" } })).toBe(false)
    expect(canResume({ status: "parked", waitsFor: "permit", parked: {} })).toBe(false)
    expect(canResume({ status: "running" })).toBe(false)
  })
})
