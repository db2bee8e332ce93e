/**
 * How long it takes from an emit until a follower in another process has the event, and from the commit of a transaction that starts a
 * job until the job is queued. With the role `follower`, this script is the other process.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Database, JobId, JobManager, RunStore } from "charlotte"
import { Effect, Layer, Schema, Stream } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { percentile } from "../harness/Benchmark.js"
import { number, report, text } from "../harness/Subject.js"

const kind = "latency"

const store = Layer.suspend(() => RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url: text("url") }))))

const wall = () => performance.timeOrigin + performance.now()

const follower = Effect.gen(function* () {
  const runs = yield* RunStore.RunStore
  const jobId = Schema.decodeSync(JobId.JobId)(text("job"))
  const notifier = yield* runs.changes(jobId)
  for (let after = 0; ;) {
    const version = yield* notifier.version
    const { events } = yield* Effect.flatten(runs.events({ kind, jobId, after, limit: 100 }))
    const at = wall()
    for (const { seq } of events) process.stdout.write(`${seq} ${at}\n`)
    after += events.length
    if (events.length === 0) yield* notifier.changed(version)
  }
}).pipe(Effect.scoped)

const follow = (job: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [process.argv[1] ?? "", JSON.stringify({ url: text("url"), role: "follower", job })], {
          stdio: ["ignore", "pipe", "inherit"]
        })
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    ),
    (child) => {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      return Effect.promise(async () => {
        const { value } = await lines.next()
        return Number(String(value).split(" ")[1])
      })
    }
  )

const series = <E, R>(prefix: string, one: Effect.Effect<number, E, R>) =>
  Effect.gen(function* () {
    yield* Effect.replicateEffect(one, 20)
    const latencies = yield* Effect.replicateEffect(Effect.delay(one, "10 millis"), number("rounds"))
    return { [`${prefix}P50`]: percentile(latencies, 0.5), [`${prefix}P95`]: percentile(latencies, 0.95) }
  })

const writer = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const requests = yield* Effect.makeLatch()
  let emitted = 0
  const manager = yield* JobManager.make({
    kind,
    config: Schema.Struct({ emits: Schema.Boolean }),
    orchestrator: {
      run: (job) =>
        job.config.emits
          ? Effect.forever(
              Effect.gen(function* () {
                yield* requests.await
                yield* requests.close
                emitted = wall()
                yield* job.emit({ type: "step" })
              })
            )
          : Effect.succeed("done")
    }
  })
  const job = yield* manager.start({ emits: true })
  const seen = yield* follow(job)
  yield* seen
  const event = yield* series(
    "event",
    Effect.gen(function* () {
      yield* requests.open
      return (yield* seen) - emitted
    })
  )
  yield* manager.stop(job)
  const queued = yield* series(
    "queued",
    Effect.gen(function* () {
      const id = yield* sql.withTransaction(manager.start({ emits: false }))
      const committed = wall()
      yield* Stream.runHead(manager.events(id))
      const latency = wall() - committed
      yield* manager.await(id)
      return latency
    })
  )
  report({ ...event, ...queued })
}).pipe(Effect.scoped)

const main: Effect.Effect<void, unknown, SqlClient.SqlClient | RunStore.RunStore> =
  text("role") === "follower" ? follower : writer

await Effect.runPromise(Effect.provide(main, store))
