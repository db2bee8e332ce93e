/**
 * Throughput of whole job life cycles, against the same statements on raw better-sqlite3, and against peers.
 */
import { type Benchmark, type Line, type Measured, ratio, readable, type Settings } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import * as Peers from "../harness/Peers.js"
import { median } from "../harness/Statistics.js"

type Limits = readonly [must: number, goal: number]

interface Form {
  readonly synchronous: "FULL" | "NORMAL"
  readonly callers: 10 | 100
  readonly raw: Limits
  /** Limits against each peer for FULL, and against the best peer for NORMAL. */
  readonly peers: ReadonlyArray<readonly [Peers.Peer, Limits]>
}

const quick: Form["peers"] = [
  ["plainjob", [0.3, 0.6]],
  ["BullMQ, appendfsync everysec", [0.3, 0.6]],
  ["PersistedQueue", [0.3, 0.6]]
]

const forms: ReadonlyArray<Form> = [
  {
    synchronous: "FULL",
    callers: 10,
    raw: [0.8, 1.2],
    peers: [
      ["BullMQ, appendfsync always", [1, 1.5]],
      ["pg-boss", [1.1, 1.7]],
      ["graphile-worker", [1.2, 1.7]]
    ]
  },
  {
    synchronous: "FULL",
    callers: 100,
    raw: [1.1, 1.4],
    peers: [
      ["BullMQ, appendfsync always", [1, 1.4]],
      ["pg-boss", [1, 1.4]],
      ["graphile-worker", [1.4, 1.7]]
    ]
  },
  { synchronous: "NORMAL", callers: 10, raw: [0.35, 0.5], peers: quick },
  { synchronous: "NORMAL", callers: 100, raw: [0.45, 0.55], peers: quick }
]

const floor = "raw better-sqlite3, same statements, a transaction per change"

const measure = async (form: Form, settings: Settings): Promise<ReadonlyArray<Line>> => {
  const { callers, peers, raw, synchronous } = form
  const parameters = { what: "lifecycle", callers, synchronous, warmUp: settings.warmUp, millis: settings.millis }
  const found = await Peers.find(settings.short ? [] : peers.map(([name]) => name), parameters)
  const figure = await compare<string>(settings, {
    ours: { script: "subjects/lifecycle.ts", parameters },
    raw: { script: "subjects/rawLifecycle.ts", parameters },
    ...found.subjects
  })
  const what = `life cycle, ${synchronous}, ${callers} callers`
  const middle = (name: string) => median(figure(name, "perSecond"))

  const against = (name: string, words: string, [must, goal]: Limits): Measured =>
    ratio({
      what,
      against: words,
      ours: figure("ours", "perSecond"),
      theirs: figure(name, "perSecond"),
      suffix: " jobs/s",
      must: { atLeast: must },
      goal: { atLeast: goal }
    })

  const others = peers.flatMap(([name, limits]) => (name in found.subjects ? [{ name, limits }] : []))
  const [best] = others.toSorted((a, b) => middle(b.name) - middle(a.name))
  const all = others.map(({ name }) => `${name} ${readable(middle(name))} jobs/s`).join("; ")
  return [
    against("raw", floor, raw),
    ...(synchronous === "FULL"
      ? others.map(({ limits, name }) => against(name, name, limits))
      : best === undefined
        ? []
        : [against(best.name, `the best of ${all}`, best.limits)]),
    ...Peers.unmeasured(what, found)
  ]
}

export const lifecycle: Benchmark = {
  name: "lifecycle",
  title: "Life cycle in a closed loop",
  short: true,
  run: async (settings) => {
    const lines: Array<Line> = []
    for (const form of forms) lines.push(...(await measure(form, settings)))
    return lines
  }
}
