/**
 * How soon other processes learn of what is committed to PostgreSQL.
 */
import { type Benchmark, type Line, milliseconds } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import * as Services from "../harness/Services.js"

export const postgres: Benchmark = {
  name: "postgres",
  title: "Between processes on PostgreSQL",
  run: async (settings) => {
    const parameters = { url: await Services.postgres("default"), rounds: settings.short ? 50 : 200, role: "writer" }
    const figure = await compare(settings, { ours: { script: "subjects/postgresLatency.ts", parameters } })
    return [
      ["an event, emitted until a follower in another process has it", "event"],
      ["a start in a transaction, committed until its `job.queued`", "queued"]
    ].flatMap(([what, name]): ReadonlyArray<Line> => [
      milliseconds(`${what}, idle, p50`, figure("ours", `${name}P50`), 50, 10),
      milliseconds(`${what}, idle, p95`, figure("ours", `${name}P95`), 200, 20)
    ])
  }
}
