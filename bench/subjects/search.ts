/**
 * How long it takes to search very many recorded jobs, as a person does: pages of 50, of one kind.
 */
import { JobManager, RunStore } from "charlotte"
import { Effect } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { main, managerOf } from "./manager.js"

const batches = number("jobs") / 100

const program = Effect.gen(function* () {
  yield* JobManager.JobManager
  const store = yield* RunStore.RunStore

  const search = (query: () => RunStore.RunQuery, isFound: boolean) =>
    Effect.suspend(() => {
      const begun = performance.now()
      return Effect.map(store.page({ kind: "tasks", limit: 50, ...query() }), ({ runs }) => {
        if (runs.length > 0 !== isFound) throw new Error(`found ${runs.length}`)
        return performance.now() - begun
      })
    })
  const p95 = (query: () => RunStore.RunQuery, isFound = true) =>
    Effect.map(Effect.replicateEffect(search(query, isFound), number("times")), (times) => percentile(times, 0.95))
  const batch = () => `batch${Math.floor(batches / 10 + (Math.random() * batches * 9) / 10)}`

  report({
    all: yield* p95(() => ({ q: "repository" })),
    few: yield* p95(() => ({ q: batch() })),
    none: yield* p95(() => ({ q: "nowhere" }), false),
    both: yield* p95(() => ({ q: `repo main ${batch()}` })),
    disjoint: yield* p95(() => ({ q: `team no main any ${batch()} x` }), false),
    letters: yield* p95(() => ({ q: "a b m n r t" }), true),
    status: yield* p95(() => ({ q: "repository", status: "failed" })),
    running: yield* p95(() => ({ q: "repository", status: "running" }), false)
  })
})

await main(
  program,
  managerOf(10, () => Effect.void)
)
