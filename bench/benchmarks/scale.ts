/**
 * What a job costs beside very many others.
 */
import { type Benchmark, type Line, readable } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"

const subject = (active: number, millis: number) => ({
  script: "subjects/scale.ts",
  parameters: { synchronous: "FULL", active, millis }
})

export const scale: Benchmark = {
  name: "scale",
  title: "Cost per job at scale",
  run: async (settings) => {
    const { millis } = settings
    const figure = await compare(settings, {
      10: subject(10, millis),
      1000: subject(1_000, millis),
      10000: subject(10_000, millis)
    })
    const base = figure("1000", "cpuMicros")
    return (["10", "10000"] as const).map((active): Line => {
      const value = figure(active, "cpuMicros")
      return {
        what: `CPU per job beside ${Number(active).toLocaleString("en-US")} active jobs`,
        against: "beside 1,000",
        figure: `${readable(value)} µs`,
        base: `${readable(base)} µs`,
        value: value / base,
        unit: "×",
        must: { atMost: 1.5 },
        goal: { atMost: 1.25 }
      }
    })
  }
}
