import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Database, JobKind, RunStore } from "charlotte"
import { Engine, JobKind as Nodes } from "charlotte/cluster"
import { Config, Console, Effect, Layer, Schema } from "effect"

class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({ number: Schema.Int }) }) {}

// Such as postgres://app@db.internal/app, with the password in PGPASSWORD or in the file of PGPASSFILE.
const Postgres = Layer.unwrapEffect(
  Effect.map(Config.redacted("DATABASE_URL"), (url) => Database.layerPostgres({ url }))
)

// How the other nodes reach this one, such as 10.0.0.5:7440. Each node has its own.
const ThisNode = Layer.unwrapEffect(Effect.map(Config.string("ADDRESS"), (address) => Engine.layer({ address })))

const Reports = Nodes.layerCluster(Report, {
  maxJobs: 20,
  capacity: 8,
  run: ({ attempt, config: { number } }) =>
    Effect.delay(Console.log(`report ${number}, attempt ${attempt}`), "1 second")
}).pipe(Layer.provide(ThisNode), Layer.provide(RunStore.layer), Layer.provide(Postgres))

const program = Effect.gen(function* () {
  const reports = yield* Report
  // It runs on the node with most room, and every node can follow or stop it.
  const id = yield* reports.start({ number: 1 }, { whenFull: "queue" })
  const run = yield* reports.await(id)
  yield* Console.log(run.status)
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.provide(program, Reports))
