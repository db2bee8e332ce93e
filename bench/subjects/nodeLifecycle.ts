/**
 * Jobs that do nothing, in a closed loop, on PostgreSQL: with some nodes, or with a single owner if `nodes` is 0. The callers are
 * distributed over the nodes; this process is the first.
 */
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { Effect, Layer } from "effect"
import { number, report, text } from "../harness/Subject.js"
import { closedLoop } from "./closedLoop.js"
import { freshDatabase } from "./freshDatabase.js"
import { freeAddress, runNode, spawnNode } from "./nodeProcess.js"

// Exceeds the number of callers, so that no start is refused.
const maxJobs = 2 * number("callers")

const database = (url: string) => Database.layerPostgres({ url })
const noop = Orchestrator.layer(() => Effect.void)

const owner = (url: string) =>
  JobManager.layer({ maxJobs }).pipe(Layer.provide(noop), Layer.provide(RunStore.layer), Layer.provide(database(url)))

const node = (url: string, address: string) =>
  Cluster.JobManager.layerCluster({ maxJobs }).pipe(
    Layer.provide(noop),
    Layer.provide(Cluster.Engine.layer({ address })),
    Layer.provide(RunStore.layer),
    Layer.provide(database(url))
  )

const measured = (callers: number) =>
  Effect.flatMap(JobManager.JobManager, (manager) => closedLoop(manager, callers, number("millis")))

/** The number of callers of the node with this index. */
const share = (nodes: number, index: number) => Math.floor((number("callers") + index) / nodes)

const nodes = (count: number, url: string) =>
  Effect.gen(function* () {
    const parameters = { callers: number("callers"), warmUp: number("warmUp"), millis: number("millis"), url }
    const others = yield* Effect.replicateEffect(spawnNode(parameters), count - 1, { concurrency: "unbounded" })
    // Time for each node to get its share of the shards.
    if (count > 1) yield* Effect.sleep("3 seconds")
    const rates = [
      Effect.map(measured(share(count, 0)), ({ perSecond = 0 }) => perSecond),
      ...others.map(({ ask }, i) => ask(`${share(count, i + 1)}`))
    ]
    const found = yield* Effect.all(rates, { concurrency: "unbounded" })
    return { perSecond: found.reduce((sum, rate) => sum + rate, 0) }
  }).pipe(Effect.scoped)

const first = Effect.gen(function* () {
  const url = yield* freshDatabase(text("url"))
  const count = number("nodes")
  report(
    yield* count === 0
      ? Effect.provide(measured(number("callers")), owner(url))
      : Effect.provide(nodes(count, url), node(url, yield* freeAddress))
  )
})

if (text("role") === "node") {
  runNode(node(text("url"), text("address")), (callers) =>
    Effect.map(measured(Number(callers)), ({ perSecond = 0 }) => perSecond)
  )
} else await Effect.runPromise(first)
