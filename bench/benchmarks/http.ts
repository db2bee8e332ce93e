/**
 * The server: requests per second against a trivial endpoint of the same stack, and events delivered to a hundred clients against
 * a bare Node server. The clients run in a thread of the same process.
 */
import { type Benchmark, type Line, ratio, type Settings } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import type { Limit } from "../harness/Statistics.js"
import type { Subject } from "../harness/Subjects.js"

const line = async (
  settings: Settings,
  of: {
    readonly what: string
    readonly against: string
    readonly ours: Subject
    readonly theirs: Subject
    readonly must: Limit
    readonly goal: Limit
  }
): Promise<Line> => {
  const { ours, theirs, ...rest } = of
  const figure = await compare(settings, { ours, theirs })
  return ratio({
    ...rest,
    ours: figure("ours", "perSecond"),
    theirs: figure("theirs", "perSecond"),
    suffix: "/s"
  })
}

const requests = (settings: Settings, method: "GET" | "POST", what: string, must: number, goal: number) => {
  const parameters = { synchronous: "FULL", method, connections: 100, millis: settings.millis }
  return line(settings, {
    what,
    against: "a trivial endpoint of an HttpApi",
    ours: { script: "subjects/http.ts", parameters },
    theirs: { script: "subjects/trivial.ts", parameters },
    must: { atLeast: must },
    goal: { atLeast: goal }
  })
}

export const http: Benchmark = {
  name: "http",
  title: "HTTP, 100 clients",
  short: true,
  run: async (settings) => {
    const parameters = { synchronous: "FULL", clients: 100, events: settings.short ? 2_000 : 10_000 }
    return [
      await requests(settings, "POST", "POST /jobs, FULL", 0.25, 0.4),
      await line(settings, {
        what: "events delivered to 100 SSE clients, FULL",
        against: "bare node:http writing each frame",
        ours: { script: "subjects/sse.ts", parameters },
        theirs: { script: "subjects/bareSse.ts", parameters },
        must: { atLeast: 0.5 },
        goal: { atLeast: 1.3 }
      })
    ]
  }
}
