/**
 * Ten thousand idle jobs at once.
 */
import { atMost, type Benchmark, readable } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import { median } from "../harness/Statistics.js"

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
    const millis = figure("ours", "seconds").map((seconds) => (seconds * 1_000) / jobs)
    return [
      atMost("stopAll of 10,000 idle jobs, recorded, FULL, for each", millis, "ms", 0.5, 0.4),
      {
        ...atMost("heap per idle job, at 10,000", figure("ours", "kilobytesPerJob"), "KB", 24, 20),
        against: "a bare suspended fiber",
        base: `${readable(median(figure("bare", "kilobytes")))} KB`
      },
      atMost("heap per job that is over", figure("ours", "kilobytesPerRecord"), "KB", 0.1, 0.05)
    ]
  }
}
