/**
 * How soon waiting jobs get a freed permit, and are queued after a commit.
 */
import { besideCommit, type Benchmark, type Measured } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"

export const queue: Benchmark = {
  name: "queue",
  title: "Jobs that wait",
  run: async (settings) => {
    const parameters = {
      synchronous: "FULL",
      warmUp: settings.warmUp,
      jobs: settings.short ? 50 : 1_000
    }
    const figure = await compare<string>(settings, {
      ours: { script: "subjects/queue.ts", parameters },
      raw: { script: "subjects/rawCommit.ts", parameters: { ...parameters, rest: 2 } }
    })
    const line = (what: string, of: string, percentile: "p50" | "p99"): Measured =>
      besideCommit(
        `${what}, FULL, ${percentile}`,
        figure("ours", `${of}${percentile}`),
        figure("raw", percentile),
        50,
        10
      )
    return [
      line("a freed permit is handed to the next of 1,000 pending jobs", "handed", "p50"),
      line("a freed permit is handed to the next of 1,000 pending jobs", "handed", "p99"),
      line("from the commit of a start in a transaction to job.queued", "queued", "p50"),
      line("from the commit of a start in a transaction to job.queued", "queued", "p99")
    ]
  }
}
