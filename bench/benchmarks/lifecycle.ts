/**
 * Throughput of whole job life cycles, against the same statements on raw better-sqlite3, and against peers.
 */
import { type Benchmark, type Limit, type Line, type Measured, readable, type Settings } from "../harness/Benchmark.js"
import { compare } from "../harness/Comparison.js"
import * as Peers from "../harness/Peers.js"

interface Form {
  readonly synchronous: "FULL" | "NORMAL"
  readonly callers: 10 | 100
  readonly raw: readonly [must: number, goal: number]
  readonly peers: ReadonlyArray<Peers.Peer>
  /** Limits against each peer for FULL, and against the best peer for NORMAL. */
  readonly peer: readonly [must: number, goal: number]
}

const durable = ["BullMQ, appendfsync always", "pg-boss", "graphile-worker"] as const
const quick = ["plainjob", "BullMQ, appendfsync everysec", "PersistedQueue"] as const

const forms: ReadonlyArray<Form> = [
  { synchronous: "FULL", callers: 10, raw: [0.4, 1], peers: durable, peer: [1, 2] },
  { synchronous: "FULL", callers: 100, raw: [0.6, 1.5], peers: durable, peer: [1, 1.5] },
  { synchronous: "NORMAL", callers: 10, raw: [0.3, 0.6], peers: quick, peer: [0.3, 0.6] },
  { synchronous: "NORMAL", callers: 100, raw: [0.3, 0.6], peers: quick, peer: [0.3, 0.6] }
]

const atLeast = ([must, goal]: readonly [number, number]): { readonly must: Limit; readonly goal: Limit } => ({
  must: { atLeast: must },
  goal: { atLeast: goal }
})

const floor = "raw better-sqlite3, same statements, a transaction per change"

const measure = async (form: Form, settings: Settings): Promise<ReadonlyArray<Line>> => {
  const { callers, peer, raw, synchronous } = form
  const parameters = { what: "lifecycle", callers, synchronous, warmUp: settings.warmUp, millis: settings.millis }
  const found = await Peers.find(settings.short ? [] : form.peers, parameters)
  const figure = await compare<string>(settings, {
    ours: { script: "subjects/lifecycle.ts", parameters },
    raw: { script: "subjects/rawLifecycle.ts", parameters },
    ...found.subjects
  })
  const what = `life cycle, ${synchronous}, ${callers} callers`
  const rate = (name: string) => `${readable(figure(name, "perSecond"))} jobs/s`

  const against = (name: string, words: string, limits: readonly [number, number]): Measured => ({
    what,
    against: words,
    figure: rate("ours"),
    base: rate(name),
    value: figure("ours", "perSecond") / figure(name, "perSecond"),
    unit: "×",
    ...atLeast(limits)
  })

  const others = Object.keys(found.subjects)
  const [best] = others.toSorted((a, b) => figure(b, "perSecond") - figure(a, "perSecond"))
  const all = others.map((name) => `${name} ${rate(name)}`).join("; ")
  return [
    against("raw", floor, raw),
    ...(synchronous === "FULL"
      ? others.map((name) => against(name, name, peer))
      : best === undefined
        ? []
        : [against(best, `the best of ${all}`, peer)]),
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
