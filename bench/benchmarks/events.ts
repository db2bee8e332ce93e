/**
 * Durable events per second, with one live subscriber that receives all of them.
 */
import { type Benchmark, type Line, ratio } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"

export const events: Benchmark = {
  name: "events",
  title: "Durable events",
  short: true,
  run: async (settings) => {
    const lines: Array<Line> = []
    for (const jobs of [1, 100]) {
      const parameters = { synchronous: "FULL", jobs, events: settings.short ? 20_000 : 100_000 }
      const figure = await compare(settings, {
        ours: { script: "subjects/events.ts", parameters },
        raw: { script: "subjects/rawEvents.ts", parameters }
      })
      lines.push(
        ratio({
          what: `events a second from ${jobs === 1 ? "one job" : `${jobs} jobs`}, one live subscriber, FULL`,
          against: "raw better-sqlite3, same rows, batches of 100",
          ours: figure("ours", "perSecond"),
          theirs: figure("raw", "perSecond"),
          suffix: "/s",
          must: { atLeast: 0.4 },
          goal: { atLeast: 0.75 }
        })
      )
    }
    return lines
  }
}
