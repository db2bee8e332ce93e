/**
 * Throughput of whole lives of jobs, and what they cost the processor, against the same statements without us.
 */
import { type Benchmark, type Line, type Limit, readable } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"

const limits: { readonly [synchronous: string]: { readonly [callers: number]: readonly [must: Limit, goal: Limit] } } =
  {
    FULL: { 10: [{ atLeast: 2 }, { atLeast: 2.5 }], 100: [{ atLeast: 3 }, { atLeast: 4.5 }] },
    NORMAL: { 10: [{ atLeast: 0.75 }, { atLeast: 1 }], 100: [{ atLeast: 0.95 }, { atLeast: 1.25 }] }
  }

const cpuLimits: { readonly [synchronous: string]: readonly [must: Limit, goal: Limit] } = {
  FULL: [{ atMost: 1 }, { atMost: 0.6 }],
  NORMAL: [{ atMost: 2 }, { atMost: 1.4 }]
}

const line = (rest: Omit<Line, "must" | "goal" | "against">, [must, goal]: readonly [Limit, Limit]): Line => ({
  ...rest,
  against: "raw better-sqlite3, same statements, a transaction per change",
  must,
  goal
})

export const lifecycle: Benchmark = {
  name: "lifecycle",
  title: "Life cycle in a closed loop",
  short: true,
  run: async (settings) => {
    const lines: Array<Line> = []
    for (const synchronous of Object.keys(limits)) {
      for (const callers of [10, 100]) {
        const parameters = { callers, synchronous, millis: settings.millis }
        const figure = await compare(settings, {
          ours: { script: "subjects/lifecycle.ts", parameters },
          raw: { script: "subjects/rawLifecycle.ts", parameters }
        })
        const of = limits[synchronous]?.[callers]
        if (of === undefined) continue
        lines.push(
          line(
            {
              what: `life cycle, ${synchronous}, ${callers} callers`,
              figure: `${readable(figure("ours", "perSecond"))} jobs/s`,
              base: `${readable(figure("raw", "perSecond"))} jobs/s`,
              value: figure("ours", "perSecond") / figure("raw", "perSecond"),
              unit: "×"
            },
            of
          )
        )
        const cpu = cpuLimits[synchronous]
        if (callers === 100 && cpu !== undefined) {
          lines.push(
            line(
              {
                what: `CPU per job, ${synchronous}, ${callers} callers`,
                figure: `${readable(figure("ours", "cpuMicros"))} µs`,
                base: `${readable(figure("raw", "cpuMicros"))} µs`,
                value: figure("ours", "cpuMicros") / figure("raw", "cpuMicros"),
                unit: "×"
              },
              cpu
            )
          )
        }
      }
    }
    return lines
  }
}
