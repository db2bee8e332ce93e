/**
 * How long a freed permit stays free while jobs wait for it, and how long a job started in a transaction of the application waits
 * for its `job.queued` after the commit.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { JobManager } from "charlotte"
import { Effect, Either, Stream } from "effect"
import { percentile } from "../harness/Benchmark.js"
import { number, report } from "../harness/Subject.js"
import { config, managerOf } from "./manager.js"
import { warmUp } from "./warmUp.js"

const begun: Array<number> = []
const ended: Array<number> = []
const note = (times: Array<number>) => Effect.sync(() => void times.push(performance.now()))

/** The gaps between jobs on a single permit, with many more in the queue. */
const handOver = (manager: JobManager.JobManager["Type"], jobs: number) =>
  Effect.gen(function* () {
    begun.length = ended.length = 0
    const started = yield* manager.startMany(
      Array.from({ length: jobs }, () => config),
      {}
    )
    yield* Effect.forEach(started, (id) => manager.await(Either.getOrThrow(id)), {
      discard: true
    })
    return begun.slice(1).map((at, i) => at - (ended[i] ?? 0))
  })

const committed = (manager: JobManager.JobManager["Type"]) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const id = yield* sql.withTransaction(manager.start(config))
    const at = performance.now()
    yield* Stream.runHead(manager.events(id))
    const queued = performance.now()
    yield* manager.await(id)
    return queued - at
  })

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  yield* warmUp(Effect.flatMap(manager.start(config), manager.await))
  const handed = yield* handOver(manager, number("jobs"))
  const queued = yield* Effect.replicateEffect(committed(manager), number("jobs"))
  report({
    handedp50: percentile(handed, 0.5),
    handedp99: percentile(handed, 0.99),
    queuedp50: percentile(queued, 0.5),
    queuedp99: percentile(queued, 0.99)
  })
})

const layer = managerOf(1, () =>
  note(begun).pipe(Effect.zipRight(Effect.sleep("2 millis")), Effect.zipRight(note(ended)))
)

await Effect.runPromise(Effect.provide(program, layer))
