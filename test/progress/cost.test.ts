import { describe, expect, it } from "@effect/vitest"
import * as costs from "../../src/progress/cost.js"

const tokens = (input: number) => ({ input, cached: 0, output: 0 })

describe("costs", () => {
  it("add up exactly to the millionth of a dollar", () => {
    const many = Array.from({ length: 1_000 }, () => ({ ...tokens(1), usd: 0.000001 }))
    expect(costs.sum(many)).toEqual({ ...tokens(1_000), usd: 0.001 })
    expect(costs.add({ ...tokens(1), usd: 0.1 }, { ...tokens(2), usd: 0.2 })).toEqual({ ...tokens(3), usd: 0.3 })
    expect(costs.sum([])).toBeUndefined()
    expect(costs.sum([undefined, tokens(1), undefined])).toEqual(tokens(1))
  })

  it("are approximate once money is missing for some of the tokens", () => {
    const priced = { ...tokens(1), usd: 0.5 }
    expect(costs.add(priced, tokens(1))).toEqual({ ...tokens(2), usd: 0.5, isApproximate: true })
    expect(costs.add(tokens(1), priced)).toEqual({ ...tokens(2), usd: 0.5, isApproximate: true })
    expect(costs.add(priced, costs.nothing)).toEqual(priced)
    expect(costs.add(tokens(1), tokens(1))).toEqual(tokens(2))
    expect(costs.add({ ...priced, isApproximate: true }, priced)).toEqual({ ...tokens(2), usd: 1, isApproximate: true })
  })

  it("are read from any JSON", () => {
    const cost = { input: 1, cached: 2, output: 3, usd: 0.5, isApproximate: true }
    expect(costs.read(cost)).toEqual(cost)
    for (const wrong of [undefined, null, 1, "x", [], {}, { input: 1, cached: 2 }, { ...cost, output: "3" }])
      expect(costs.read(wrong)).toBeUndefined()
  })

  it("are shown in money, or else in tokens", () => {
    expect(costs.short({ ...tokens(1_234), usd: 1.2 })).toBe("$1.20")
    expect(costs.short({ ...tokens(1_234), usd: 0.0004, isApproximate: true })).toBe("~$0.0004")
    expect(costs.short({ ...tokens(0), usd: 0 })).toBe("$0.00")
    expect(costs.short(tokens(1_234))).toBe("1.2k tokens")
    expect(costs.long({ input: 900, cached: 10_000, output: 4_560_000, usd: 3 })).toBe(
      "$3.00, 4.57M tokens (900 input, 10.0k cached, 4.56M output)"
    )
    expect(costs.long({ ...tokens(0), usd: 0.5 })).toBe("$0.50")
    expect([999, 1_000, 999_949, 999_950, 5e6].map(costs.tokensText)).toEqual([
      "999",
      "1.0k",
      "999.9k",
      "1.00M",
      "5.00M"
    ])
  })
})

describe("limits of what a job may spend", () => {
  const cost = { input: 1_000, cached: 0, output: 500, usd: 20.41 }

  it("are reached at their amount", () => {
    expect(costs.reached(cost, { usd: 20.42, tokens: 1_501 })).toBeUndefined()
    expect(costs.reached(cost, { usd: 20.41, tokens: 1_501 })).toEqual({ usd: 20.41 })
    expect(costs.reached(cost, { usd: 20, tokens: 1_500 })).toEqual({ usd: 20, tokens: 1_500 })
    expect(costs.reached(tokens(5), { usd: 0.01 })).toBeUndefined()
    expect(costs.reached(cost, {})).toBeUndefined()
  })

  it("say by how much they are exceeded, and how to raise them", () => {
    expect(costs.spentText(cost, { usd: 20 })).toBe("it has spent $20.41, $0.41 more than that")
    expect(costs.spentText(cost, { usd: 20.41 })).toBe("it has spent $20.41")
    expect(costs.spentText(cost, { tokens: 1_000 })).toContain("500 tokens more than that")
    expect(costs.limitsText({ usd: 20, tokens: 5e6 })).toBe("$20.00 and 5.00M tokens")
    expect(costs.resumeCommand("JOB", { usd: 0.15, tokens: 1_500 })).toBe(
      "charlotte resume JOB --usd 0.3 --tokens 3000"
    )
  })

  it("count tokens with a unit", () => {
    expect(["1", "250000", "800k", "1.5k", "5M", "5 M"].map(costs.readTokens)).toEqual([
      1, 250_000, 800_000, 1_500, 5e6, 5e6
    ])
    for (const wrong of ["", "0", "k", "-1", "5m", "5K", "1e3", "1.5.2k"])
      expect(costs.readTokens(wrong)).toBeUndefined()
  })
})
