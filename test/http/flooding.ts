/**
 * A server in a process of its own, on a database in the directory that it is given, whose jobs do what their labels say:
 *
 * - `events`: emits so many events, of which each hundredth tells how much memory the process has; with `live`, how much of
 *   it is in use when all garbage is collected
 * - `commits`: emits so many one by one, each committed before the next, and ends with how long each took, in microseconds
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Database, type JobConfig, JobManager, Orchestrator, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { Effect, Layer } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const [, , directory = "."] = process.argv

setFlagsFromString("--expose-gc")
const collectGarbage: unknown = runInNewContext("gc")

const live = (): number => {
  if (typeof collectGarbage === "function") collectGarbage()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const flood = (job: Orchestrator.JobContext<JobConfig.JobConfig>, count: number, memory: () => number) =>
  Effect.gen(function* () {
    const every = Math.ceil(count / 100)
    for (let n = 1; n <= count; n++) {
      yield* job.emit(n % every === 0 ? { type: "memory", payload: memory() } : { type: "flood", payload: n })
    }
  })

const commits = (job: Orchestrator.JobContext<JobConfig.JobConfig>, count: number) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    for (let n = 1; n <= count; n++) {
      const begun = process.hrtime.bigint()
      yield* job.emit({ type: "committed", payload: n })
      yield* job.flush
      times.push(Number((process.hrtime.bigint() - begun) / 1_000n))
    }
    return times
  })

const Flooding = Orchestrator.layer((job) =>
  Effect.suspend(() => {
    const { labels = {} } = job.config
    const { events = "0", commits: count = "0" } = labels
    const memory = "live" in labels ? live : () => process.memoryUsage().rss
    return Effect.zipRight(flood(job, Number(events), memory), commits(job, Number(count)))
  })
)

const Jobs = JobManager.layer().pipe(
  Layer.provide(Flooding),
  Layer.provideMerge(RunStore.layer),
  Layer.provide(Database.layer({ filename: `${directory}/charlotte.db` }))
)

NodeRuntime.runMain(
  Layer.launch(Layer.provide(Http.Server.layer({ listen: { socket: `${directory}/socket` }, maxStreams: 512 }), Jobs))
)
