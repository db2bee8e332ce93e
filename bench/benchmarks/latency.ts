/**
 * How long it takes on an idle system to start a job, and to stop one.
 */
import {
  besideCommit,
  type Benchmark,
  type Line,
  type Measured,
  ratio,
  readable,
  type Settings
} from "../harness/Benchmark.js"
import { compare, type Runs } from "../harness/Comparison.js"
import * as Peers from "../harness/Peers.js"
import { median } from "../harness/Statistics.js"

/** The short form does not judge milliseconds: it only checks that the subjects work. */
const turns = (settings: Settings): Settings => (settings.short ? { ...settings, runs: 1 } : settings)

const amount = ({ short, warmUp }: Settings) => ({ warmUp, jobs: short ? 50 : 150 })

/** Charlotte's latency must not exceed the peer's. */
const below = (what: string, name: string, figure: Runs<string>, of: string): Measured =>
  ratio({
    what,
    against: name,
    ours: figure("ours", of),
    theirs: figure(name, of),
    suffix: " ms",
    must: { atMost: 1 },
    goal: { atMost: 1 }
  })

export const start: Benchmark = {
  name: "start",
  title: "Start latency",
  short: true,
  run: async (settings) => {
    const parameters = { what: "start", synchronous: "FULL", rest: 10, ...amount(settings) }
    const peers = settings.short ? [] : (["BullMQ, appendfsync always", "pg-boss", "graphile-worker"] as const)
    const found = await Peers.find(peers, parameters)
    const figure = await compare<string>(turns(settings), {
      ours: { script: "subjects/startLatency.ts", parameters },
      raw: { script: "subjects/rawCommit.ts", parameters },
      ...found.subjects
    })
    return [
      besideCommit("start, idle, FULL, p50", figure("ours", "p50"), figure("raw", "p50"), 1.2, 0.7),
      besideCommit("start, idle, FULL, p99", figure("ours", "p99"), figure("raw", "p99"), 5, 3),
      ...Object.keys(found.subjects).flatMap((name) => [
        below("start, idle, FULL, p50", name, figure, "p50"),
        below("start, idle, FULL, p99", name, figure, "p99")
      ]),
      ...Peers.unmeasured("start, idle, FULL", found)
    ]
  }
}

/** Back to back, and on an idle system as in `start`. */
const paces = [
  ["", 0],
  [", idle", 10]
] as const

export const stop: Benchmark = {
  name: "stop",
  title: "Stop latency",
  short: true,
  run: async (settings) => {
    const rows: Array<Line> = []
    for (const [pace, rest] of paces) {
      const parameters = { what: "stop", synchronous: "FULL", rest, ...amount(settings) }
      const found = await Peers.find(settings.short ? [] : ["BullMQ, appendfsync always"], parameters)
      const figure = await compare<string>(turns(settings), {
        ours: { script: "subjects/stopLatency.ts", parameters },
        raw: { script: "subjects/rawCommit.ts", parameters },
        ...found.subjects
      })
      const commits = figure("raw", "p50")
      const [peer] = Object.keys(found.subjects)
      const beside = (of: string) =>
        peer === undefined
          ? {}
          : {
              against: `cancelJob of ${peer}, which records nothing before it aborts (one raw commit: ${readable(median(commits))} ms)`,
              base: `${readable(median(figure(peer, of)))} ms`
            }
      const row = (what: string, of: string, must: number, goal: number): Measured => ({
        ...besideCommit(`stop${pace}: ${what}, FULL, p50`, figure("ours", of), commits, must, goal),
        ...beside(of)
      })
      rows.push(
        row("orchestrator interrupted", "told", 0.5, 0.25),
        row("outcome recorded", "recorded", 1.6, 1),
        ...Peers.unmeasured(`stop${pace}`, found)
      )
    }
    return rows
  }
}
