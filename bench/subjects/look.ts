/**
 * How long it takes to read very many recorded jobs: a page of all jobs, of a status, of a label, and one job.
 */
import { JobId, JobManager, RunStore } from "charlotte"
import { Effect, Option, Schema } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { anId, teams } from "./history.js"
import { main, managerOf } from "./manager.js"

const jobs = number("jobs")
const decode = Schema.decodeSync(JobId.JobId)

const program = Effect.gen(function* () {
  yield* JobManager.JobManager
  const store = yield* RunStore.RunStore

  const time = <E>(effect: Effect.Effect<unknown, E>) =>
    Effect.suspend(() => {
      const begun = performance.now()
      return Effect.map(effect, () => performance.now() - begun)
    })
  const page = (query: Parameters<typeof store.list>[0]) =>
    Effect.suspend(() =>
      Effect.map(store.list({ kind: "tasks", limit: 50, before: decode(anId(jobs)), ...query }), (runs) => {
        if (runs.length === 0) throw new Error("the page is empty")
      })
    )
  const get = Effect.suspend(() =>
    Effect.map(store.get(decode(anId(jobs))), (run) => {
      if (Option.isNone(run)) throw new Error("the job is not there")
    })
  )
  const p95 = <E>(effect: Effect.Effect<unknown, E>) =>
    Effect.map(Effect.replicateEffect(time(effect), number("times")), (times) => percentile(times, 0.95))

  report({
    list: yield* p95(page({})),
    status: yield* p95(page({ status: "failed" })),
    label: yield* p95(page({ labels: { team: `team-${Math.floor(Math.random() * teams)}` } })),
    get: yield* p95(get)
  })
})

await main(
  program,
  managerOf(10, () => Effect.void)
)
