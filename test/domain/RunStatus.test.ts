import { describe, expect, it } from "@effect/vitest"
import { JobEvent, RunStatus } from "charlotte"

const statuses = RunStatus.RunStatus.literals

/** All that a run may be that was once `from`. */
const reachable = (from: RunStatus.RunStatus, seen: Set<RunStatus.RunStatus>): Set<RunStatus.RunStatus> => {
  if (seen.has(from)) return seen
  seen.add(from)
  for (const to of RunStatus.transitions[from]) reachable(to, seen)
  return seen
}

describe("the state machine", () => {
  it("is the one that is promised", () => {
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
        "pending → cancelled"
      ])
    )
  })

  it("is over with three statuses, and no other", () => {
    expect(statuses.filter(RunStatus.isTerminal)).toEqual(["completed", "failed", "cancelled"])
  })

  it("reaches every status from the first", () => {
    expect(reachable("pending", new Set())).toEqual(new Set(statuses))
  })

  it("says of two statuses whether the one may become the other", () => {
    expect(RunStatus.canBecome("running", "interrupted")).toBe(true)
    expect(RunStatus.canBecome("completed", "running")).toBe(false)
    expect(RunStatus.canBecome("running", "running")).toBe(false)
  })

  it("has an event that tells of every status but the first", () => {
    expect(new Set(Object.values(JobEvent.lifecycle))).toEqual(
      new Set(statuses.filter((status) => status !== "pending"))
    )
  })
})
