import { describe, expect, it } from "@effect/vitest"
import { JobEvent, RunStatus } from "charlotte"

const statuses = RunStatus.RunStatus.literals

/** All statuses reachable from `from`. */
const reachable = (from: RunStatus.RunStatus, seen: Set<RunStatus.RunStatus>): Set<RunStatus.RunStatus> => {
  if (seen.has(from)) return seen
  seen.add(from)
  for (const to of RunStatus.transitions[from]) reachable(to, seen)
  return seen
}

describe("RunStatus", () => {
  it("has exactly the promised transitions", () => {
    const steps = statuses.flatMap((from) => RunStatus.transitions[from].map((to) => `${from} → ${to}`))
    expect(new Set(steps)).toEqual(
      new Set([
        "pending → running",
        "running → completed",
        "running → failed",
        "running → cancelled",
        "running → interrupted",
        "interrupted → running",
        "interrupted → failed",
        "interrupted → cancelled",
        "pending → cancelled",
        "pending → failed",
        "running → parked",
        "parked → running",
        "parked → failed",
        "parked → cancelled"
      ])
    )
  })

  it("has exactly three terminal statuses", () => {
    expect(statuses.filter(RunStatus.isTerminal)).toEqual(["completed", "failed", "cancelled"])
  })

  it("reaches every status from pending", () => {
    expect(reachable("pending", new Set())).toEqual(new Set(statuses))
  })

  it("canBecome tells whether a transition is allowed", () => {
    expect(RunStatus.canBecome("running", "interrupted")).toBe(true)
    expect(RunStatus.canBecome("completed", "running")).toBe(false)
    expect(RunStatus.canBecome("running", "running")).toBe(false)
  })

  it("has a lifecycle event for every status", () => {
    expect(new Set(Object.values(JobEvent.lifecycle))).toEqual(new Set(statuses))
  })
})
