/**
 * Ten thousand idle jobs at once.
 */
import { type Benchmark, readable } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"

const jobs = 10_000
const node = ["--expose-gc"]

export const many: Benchmark = {
  name: "many",
  title: "Many jobs at once",
  run: async (settings) => {
    const figure = await compare(settings, {
      ours: { script: "subjects/stopAll.ts", parameters: { synchronous: "FULL", jobs }, node },
      bare: { script: "subjects/fibers.ts", parameters: { jobs }, node }
    })
    return [
      {
        what: "stopAll of 10,000 idle jobs, recorded, FULL",
        against: "–",
        figure: `${readable(figure("ours", "seconds"))} s`,
        value: figure("ours", "seconds"),
        unit: "s",
        must: { atMost: 10 },
        goal: { atMost: 5 }
      },
      {
        what: "heap per idle job, at 10,000",
        against: "a bare suspended fiber",
        figure: `${readable(figure("ours", "kilobytesPerJob"))} KB`,
        base: `${readable(figure("bare", "kilobytes"))} KB`,
        value: figure("ours", "kilobytesPerJob"),
        unit: "KB",
        must: { atMost: 24 },
        goal: { atMost: 20 }
      },
      {
        what: "heap per job that is over",
        against: "–",
        figure: `${readable(figure("ours", "kilobytesPerRecord"))} KB`,
        value: figure("ours", "kilobytesPerRecord"),
        unit: "KB",
        must: { atMost: 0.1 },
        goal: { atMost: 0.05 }
      }
    ]
  }
}
