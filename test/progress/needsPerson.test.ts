import { describe, expect, it } from "@effect/vitest"
import { choose, isWaiting, type Listed } from "../../src/progress/needsPerson.js"

const job = (id: string, more: Partial<Listed>): Listed => ({ id, status: "running", ...more })
const parked = (id: string, parked: NonNullable<Listed["parked"]>, more: Partial<Listed> = {}): Listed =>
  job(id, { status: "parked", parked, ...more })

const until = Date.parse("2026-01-31T21:05:00Z")

describe("the jobs that need a person", () => {
  const jobs = [
    parked("limit", { until }),
    job("broken", { status: "failed" }),
    job("works", {}),
    job("queued", { status: "pending" }),
    job("done", { status: "completed" }),
    job("cut", { status: "interrupted" }),
    parked("asks", { signal: "approve" }),
    parked("login and limit", { signal: "charlotte.resume", until }),
    parked("due", { signal: "approve" }, { waitsFor: "permit" }),
    parked("parent", { children: 2 }),
    parked("workflow", { signal: "charlotte.resume", decisions: 1 })
  ]

  it("are those that wait for one, then failed ones, then those that were cut short", () => {
    expect(choose(jobs).map(({ id }) => id)).toEqual(["login and limit", "asks", "broken", "cut"])
  })

  it("are none that wait only for a time, such as the reset of a limit, for a permit, or for other jobs and programs", () => {
    expect(jobs.filter(isWaiting).map(({ id }) => id)).toEqual(["limit", "due", "parent", "workflow"])
  })

  it("are no failed ones that another job retries, however that went", () => {
    const retried = [
      job("1", { status: "failed", retriedAs: "2" }),
      job("2", { status: "failed", retriedAs: "3" }),
      job("3", { status: "completed" }),
      job("4", { status: "failed" })
    ]
    expect(choose(retried).map(({ id }) => id)).toEqual(["4"])
  })

  it("are no failed children whose parents handle the failure", () => {
    const children = [job("1", { status: "failed", handled: true }), job("2", { status: "failed" })]
    expect(choose(children).map(({ id }) => id)).toEqual(["2"])
  })
})
