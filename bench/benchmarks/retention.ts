/**
 * How long it takes to list very many recorded jobs, and how pruning affects other work.
 */
import { type Benchmark, milliseconds } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import { run } from "../harness/Subjects.js"

const jobs = 1_000_000
const pruned = 10_000

const line = (what: string, values: ReadonlyArray<number>, must: number, goal: number) =>
  milliseconds(`${what}, at 1,000,000 recorded jobs`, values, must, goal)

const filters = ["all", "label", "status", "status+label", "kind", "kind+label", "kind+status", "kind+status+label"]

export const retention: Benchmark = {
  name: "retention",
  title: "Lists and retention",
  run: async (settings) => {
    const parameters = { synchronous: "FULL", file: `${settings.directory}/retained.db`, jobs }
    await run({ script: "subjects/fill.ts", parameters: { ...parameters, events: 2 } })
    process.stderr.write(" filled ")
    const figures = await compare(settings, {
      retention: { script: "subjects/retention.ts", parameters: { ...parameters, pruned, times: 500 } }
    })
    const figure = (name: string) => figures("retention", name)
    return [
      ...filters.map((name) => line(`a page of 10 by ${name}, p95`, figure(name), 50, 20)),
      line("the longest turn of the event loop while 10,000 jobs are pruned, CPU", figure("longest"), 50, 25),
      line("a write while jobs are pruned, p99", figure("written"), 100, 50),
      line("1,000 pruned jobs, CPU", figure("cpuMicros"), 1_000, 250)
    ]
  }
}
