/**
 * How long it takes on an idle system to start a job, and to stop one.
 */
import { type Benchmark, type Measured, readable, type Settings } from "../harness/Benchmark.js"
import { compare, type Medians } from "../harness/Comparison.js"
import * as Peers from "../harness/Peers.js"

/** The short form does not judge milliseconds: it only sees that it works. */
const turns = (settings: Settings): Settings => (settings.short ? { ...settings, runs: 1 } : settings)

const amount = ({ short }: Settings) => (short ? { warmUp: 1_000, jobs: 50 } : { warmUp: 4_000, jobs: 150 })

/** What one commit takes says how fast the disk was meanwhile. */
const millis = (what: string, value: number, commit: number, must: number, goal: number): Measured => ({
  what,
  against: "– (one raw commit on this disk)",
  base: `${readable(commit)} ms`,
  figure: `${readable(value)} ms`,
  value,
  unit: "ms",
  must: { atMost: must },
  goal: { atMost: goal }
})

/** Ours is below theirs. */
const below = (what: string, name: string, figure: Medians<string>, of: string): Measured => ({
  what,
  against: name,
  figure: `${readable(figure("ours", of))} ms`,
  base: `${readable(figure(name, of))} ms`,
  value: figure("ours", of) / figure(name, of),
  unit: "×",
  must: { atMost: 1 },
  goal: { atMost: 1 }
})

export const start: Benchmark = {
  name: "start",
  title: "Start latency",
  short: true,
  run: async (settings) => {
    const parameters = { what: "start", synchronous: "FULL", ...amount(settings) }
    const peers = settings.short ? [] : (["BullMQ, appendfsync always", "pg-boss", "graphile-worker"] as const)
    const found = await Peers.find(peers, parameters)
    const figure = await compare<string>(turns(settings), {
      ours: { script: "subjects/startLatency.ts", parameters },
      raw: { script: "subjects/rawCommit.ts", parameters },
      ...found.subjects
    })
    return [
      millis("start, idle, FULL, p50", figure("ours", "p50"), figure("raw", "p50"), 1.2, 0.7),
      millis("start, idle, FULL, p99", figure("ours", "p99"), figure("raw", "p99"), 5, 3),
      ...Object.keys(found.subjects).flatMap((name) => [
        below("start, idle, FULL, p50", name, figure, "p50"),
        below("start, idle, FULL, p99", name, figure, "p99")
      ]),
      ...Peers.unmeasured("start, idle, FULL", found)
    ]
  }
}

export const stop: Benchmark = {
  name: "stop",
  title: "Stop latency",
  short: true,
  run: async (settings) => {
    const parameters = { what: "stop", synchronous: "FULL", ...amount(settings) }
    const found = await Peers.find(settings.short ? [] : ["BullMQ, appendfsync always"], parameters)
    const figure = await compare<string>(turns(settings), {
      ours: { script: "subjects/stopLatency.ts", parameters },
      raw: { script: "subjects/rawCommit.ts", parameters },
      ...found.subjects
    })
    const commit = figure("raw", "p50")
    const [peer] = Object.keys(found.subjects)
    const theirs = (of: string) =>
      peer === undefined
        ? {}
        : {
            against: `cancelJob of ${peer}, which records nothing before it tells`,
            base: `${readable(figure(peer, of))} ms`
          }
    return [
      { ...millis("stop: orchestrator told, FULL, p50", figure("ours", "told"), commit, 0.5, 0.25), ...theirs("told") },
      {
        ...millis("stop: outcome recorded, FULL, p50", figure("ours", "recorded"), commit, 1.6, 1),
        ...theirs("recorded")
      },
      ...Peers.unmeasured("stop", found)
    ]
  }
}
