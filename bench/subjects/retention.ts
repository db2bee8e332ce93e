/**
 * How long pages of 10 of very many recorded jobs take, for every combination of filters, and how pruning a part of these jobs
 * affects other work.
 */
import { JobId, JobManager, RunStore } from "charlotte"
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Fiber, Schema } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report, stopwatch } from "../harness/Subject.js"
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

/** Every combination of kind, status and one label, each from the newest job and from a random position. */
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

/** Records the CPU milliseconds of each turn of the event loop: unlike elapsed time, they exclude other programs. */
const turns = (found: Array<number>) =>
  Effect.gen(function* () {
    for (;;) {
      const begun = process.cpuUsage()
      yield* Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
      const { system, user } = process.cpuUsage(begun)
      found.push((system + user) / 1_000)
    }
  })

/** Records the time of one write after the other, until it is interrupted. */
const writes = (found: Array<number>) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const nobody = { pid: 0, bootId: "", startTime: "", pidNamespace: "" }
    for (;;) found.push(yield* time(store.owners.release({ kind: "none", id: "none", process: nobody })))
  })

const program = Effect.gen(function* () {
  yield* JobManager.JobManager
  const store = yield* RunStore.RunStore
  const figures = yield* lists

  const pruneSome = (maxRuns: number) =>
    Effect.scoped(
      Effect.zipRight(store.retain({ kind: "tasks", retention: { maxRuns }, forget: () => Effect.void }), store.prune())
    )
  // Another run may have pruned this database before.
  const sql = yield* SqlClient
  const [{ runs = Number.NaN } = {}] = yield* sql<{
    readonly runs: number
  }>`SELECT count(*) AS runs FROM charlotte_runs`
  const read = stopwatch()
  yield* pruneSome(runs - pruned)
  const { cpuMicros = Number.NaN } = read(pruned)

  const [turned, written]: [Array<number>, Array<number>] = [[], []]
  const others = yield* Effect.forEach([turns(turned), writes(written)], Effect.fork)
  yield* pruneSome(runs - 2 * pruned)
  yield* Effect.forEach(others, Fiber.interrupt)
  report({ ...figures, cpuMicros, longest: percentile(turned, 1), written: percentile(written, 0.99) })
})

await main(
  program,
  managerOf(10, () => Effect.void)
)
