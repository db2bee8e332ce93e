/**
 * How long pages of 10 of very many recorded jobs take, for every combination of filters, and what others notice of it when a
 * part of these jobs is pruned.
 */
import { JobId, JobManager, RunStore } from "charlotte"
import { Effect, Fiber, Schema } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { anId, teams } from "./history.js"
import { main, managerOf } from "./manager.js"

const jobs = number("jobs")
const pruned = number("pruned")
const decode = Schema.decodeSync(JobId.JobId)

const time = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const begun = performance.now()
    return Effect.map(effect, () => performance.now() - begun)
  })

/** Every combination of kind, status and one label, each from the newest on and from anywhere. */
const lists = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const figures: Record<string, number> = {}
  for (const kind of [{}, { kind: "tasks" }]) {
    for (const status of [{}, { status: "failed" as const }]) {
      for (const isLabelled of [false, true]) {
        const times: Array<number> = []
        for (let n = 0; n < number("times"); n++) {
          const labels = isLabelled ? { labels: { team: `team-${Math.floor(Math.random() * teams)}` } } : {}
          const before = n % 2 === 0 ? {} : { before: decode(anId(jobs)) }
          times.push(yield* time(store.list({ limit: 10, ...kind, ...status, ...labels, ...before })))
        }
        const name = [...Object.keys(kind), ...Object.keys(status), ...(isLabelled ? ["label"] : [])].join("+")
        figures[name === "" ? "all" : name] = percentile(times, 0.95)
      }
    }
  }
  return figures
})

/** How long the event loop is blocked, in milliseconds, until it is interrupted. */
const blocks = (found: Array<number>) =>
  Effect.gen(function* () {
    for (;;) {
      found.push(yield* time(Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))))
    }
  })

/** Writes one after the other until it is interrupted. */
const writes = (found: Array<number>) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const process = { pid: 0, bootId: "", startTime: "", pidNamespace: "" }
    for (;;) found.push(yield* time(store.owners.release({ kind: "none", id: "none", process })))
  })

const program = Effect.gen(function* () {
  yield* JobManager.JobManager
  const store = yield* RunStore.RunStore
  const figures = yield* lists

  yield* store.retain({ kind: "tasks", retention: { maxRuns: jobs - pruned }, forget: () => Effect.void })
  const [blocked, written]: [Array<number>, Array<number>] = [[], []]
  const others = yield* Effect.forEach([blocks(blocked), writes(written)], Effect.fork)
  const took = yield* time(store.prune())
  yield* Effect.forEach(others, Fiber.interrupt)
  report({
    ...figures,
    pruneMicros: (took * 1_000) / pruned,
    blocked: percentile(blocked, 1),
    written: percentile(written, 0.99)
  })
})

await main(
  Effect.scoped(program),
  managerOf(10, () => Effect.void)
)
