/**
 * How long it takes on an idle system to start a job, to stop one, and to stop very many.
 */
import { type Benchmark, type Line, readable } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"

const millis = (what: string, value: number, must: number, goal: number): Line => ({
  what,
  against: "–",
  figure: `${readable(value)} ms`,
  value,
  unit: "ms",
  must: { atMost: must },
  goal: { atMost: goal }
})

export const start: Benchmark = {
  name: "start",
  title: "Start latency",
  short: true,
  run: async (settings) => {
    const parameters = { synchronous: "FULL", jobs: settings.short ? 50 : 300 }
    const figure = await compare(settings, { ours: { script: "subjects/startLatency.ts", parameters } })
    return [
      millis("start, idle, FULL, p50", figure("ours", "p50"), 1.2, 0.7),
      millis("start, idle, FULL, p99", figure("ours", "p99"), 5, 3)
    ]
  }
}

export const stop: Benchmark = {
  name: "stop",
  title: "Stop latency",
  short: true,
  run: async (settings) => {
    const parameters = { synchronous: "FULL", jobs: settings.short ? 50 : 300 }
    const figure = await compare(settings, { ours: { script: "subjects/stopLatency.ts", parameters } })
    return [
      millis("stop: orchestrator told, FULL, p50", figure("ours", "told"), 0.5, 0.25),
      millis("stop: outcome recorded, FULL, p50", figure("ours", "recorded"), 1.6, 1)
    ]
  }
}
