import { describe, expect, it } from "@effect/vitest"
import * as spent from "../../src/progress/spent.js"

const job = (endedAt: string | undefined, usd?: number) => ({
  endedAt,
  ...(usd !== undefined && { cost: { input: 1, cached: 2, output: 3, usd } })
})

describe("what jobs have cost", () => {
  it("is added up for each day on which they ended, the latest first", () => {
    const jobs = [
      job("2026-01-30T23:59", 1),
      job("2026-01-31T08:00", 0.5),
      job("2026-01-31T09:00", 0.25),
      job("2026-01-31T10:00"),
      job("2026-01-29T10:00"),
      job(undefined, 8)
    ]
    expect(spent.byDay(jobs, (at) => at.slice(0, 10))).toEqual([
      { day: "2026-01-31", jobs: 2, cost: { input: 2, cached: 4, output: 6, usd: 0.75 } },
      { day: "2026-01-30", jobs: 1, cost: { input: 1, cached: 2, output: 3, usd: 1 } }
    ])
  })

  it("is nothing where nothing was spent", () => {
    expect(spent.of([job("2026-01-31T10:00")])).toBeUndefined()
    expect(spent.byDay([], String)).toEqual([])
  })
})
