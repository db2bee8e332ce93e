/**
 * Jobs on PostgreSQL: throughput of the owner of a database and of nodes of a cluster, against pg-boss; and latencies between
 * processes.
 */
import { atMost, type Benchmark, type Line, milliseconds, ratio, type Settings } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import * as Peers from "../harness/Peers.js"
import * as Services from "../harness/Services.js"
import type { Subject } from "../harness/Subjects.js"

/** Charlotte starts and ends each job separately; the second peer fetches up to 100 at once, and completes them together. */
const peers = ["pg-boss, one job at a time", "pg-boss"] as const

type Limits = readonly [must: number, goal: number]

interface Form {
  readonly callers: 10 | 100
  readonly limits: { readonly [name in (typeof peers)[number]]: { readonly owner: Limits; readonly node: Limits } }
}

const forms: ReadonlyArray<Form> = [
  {
    callers: 10,
    limits: {
      "pg-boss, one job at a time": { owner: [1, 1.5], node: [0.8, 1.2] },
      "pg-boss": { owner: [0.8, 1.2], node: [0.8, 1.2] }
    }
  },
  {
    callers: 100,
    limits: {
      "pg-boss, one job at a time": { owner: [1.2, 2], node: [1.2, 2] },
      "pg-boss": { owner: [1.2, 2], node: [1.2, 2] }
    }
  }
]

const lifecycle = async (settings: Settings, { callers, limits }: Form): Promise<ReadonlyArray<Line>> => {
  const parameters = { what: "lifecycle", callers, warmUp: settings.warmUp, millis: settings.millis }
  const found = await Peers.find(peers, parameters)
  const url = await Services.postgres("default")
  const nodes = (nodes: number): Subject => ({
    script: "subjects/nodeLifecycle.ts",
    parameters: { ...parameters, url, nodes, role: "first" }
  })
  const figure = await compare<string>(settings, {
    owner: nodes(0),
    node: nodes(1),
    ...(callers === 100 ? { three: nodes(3) } : {}),
    ...found.subjects
  })
  const line = (what: string, of: string, against: string, base: string, [must, goal]: Limits): Line =>
    ratio({
      what: `life cycle on PostgreSQL, ${callers} callers, ${what}`,
      against,
      ours: figure(of, "perSecond"),
      theirs: figure(base, "perSecond"),
      suffix: " jobs/s",
      must: { atLeast: must },
      goal: { atLeast: goal }
    })
  return [
    ...peers
      .filter((name) => name in found.subjects)
      .flatMap((name) => [
        line("the owner", "owner", name, name, limits[name].owner),
        line("a node of a cluster", "node", name, name, limits[name].node)
      ]),
    ...(callers === 100 ? [line("three nodes", "three", "one node", "node", [0.8, 1])] : []),
    ...Peers.unmeasured(`life cycle on PostgreSQL, ${callers} callers`, found)
  ]
}

const latency = async (settings: Settings): Promise<ReadonlyArray<Line>> => {
  const parameters = { url: await Services.postgres("default"), rounds: settings.short ? 50 : 200, role: "writer" }
  const figure = await compare(settings, { ours: { script: "subjects/postgresLatency.ts", parameters } })
  return [
    ["an event, emitted until a follower in another process has it", "event"],
    ["a start in a transaction, committed until its `job.queued`", "queued"]
  ].flatMap(([what, name]) => [
    milliseconds(`${what}, idle, p50`, figure("ours", `${name}P50`), 50, 10),
    milliseconds(`${what}, idle, p95`, figure("ours", `${name}P95`), 200, 20)
  ])
}

/** One run: the subject repeats its rounds itself, since a lost node takes ten seconds each time. */
const cluster = async ({ directory, short }: Settings): Promise<ReadonlyArray<Line>> => {
  const amounts = short ? { events: 50, stops: 3, losses: 1 } : { events: 200, stops: 20, losses: 3 }
  const parameters = { ...amounts, url: await Services.postgres("default"), role: "first" }
  const figures = await compare({ directory, runs: 1 }, { ours: { script: "subjects/cluster.ts", parameters } })
  const figure = (name: string) => figures("ours", name)
  return [
    milliseconds("three nodes: an event, emitted until another node has it, p50", figure("eventP50"), 50, 10),
    milliseconds("three nodes: an event, emitted until another node has it, p95", figure("eventP95"), 200, 20),
    milliseconds("three nodes: stop of a job of another node, p50", figure("stopP50"), 100, 20),
    atMost("three nodes: `kill -9` of one until its jobs run elsewhere", figure("killed"), "s", 13, 7),
    milliseconds("three nodes: `kill -9` of one until its child processes are gone", figure("children"), 1_000, 200),
    atMost("three nodes: SIGTERM to one until its jobs run elsewhere", figure("closed"), "s", 2.5, 1),
    atMost("three nodes: greatest difference between two after 20 starts", figure("spread"), "jobs", 1, 1),
    atMost("three nodes: missed limit of 20 at 3 × 300 starts at once", figure("beyond"), "jobs", 0, 0)
  ]
}

export const postgres: Benchmark = {
  name: "postgres",
  title: "On PostgreSQL, by one owner and by nodes of a cluster",
  run: async (settings) => {
    const lines: Array<Line> = []
    for (const form of forms) lines.push(...(await lifecycle(settings, form)))
    lines.push(...(await latency(settings)), ...(await cluster(settings)))
    return lines
  }
}
