/**
 * The nodes and limits in the database of a home, read and changed there: it needs no daemon on this machine.
 */
import { Context, Effect, Layer, Schema } from "effect"
import * as databaseClient from "../../daemon/layers/databaseClient.js"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as Home from "../../daemon/home/Home.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import { JobManager } from "../../manager/JobManager.js"
import type { ClusterStore, Node } from "../../store/port/ClusterStore.js"
import * as RunStore from "../../store/RunStore.js"
import { suggestion } from "../../yaml/didYouMean.js"
import { Hinted } from "../errors/Hinted.js"

export const { kind } = JobManager

/** The jobs of this home are in a SQLite file, which nodes cannot share. */
export class NoCluster extends Schema.TaggedError<NoCluster>()("NoCluster", {}) {
  override get message() {
    return (
      "the jobs of this home are in a SQLite file, and the nodes of a cluster share a PostgreSQL database; " +
      `name it in CHARLOTTE_DATABASE, such as ${DatabaseChoice.example}`
    )
  }
}

/** No node of the cluster has this address. */
export class NoSuchNode extends Schema.TaggedError<NoSuchNode>()("NoSuchNode", {
  node: Schema.String,
  nodes: Schema.Array(Schema.String)
}) {
  override get message() {
    return `no node has the address "${this.node}"${suggestion(this.node, this.nodes)}`
  }
}

/** The client of that database. */
export const client = Effect.gen(function* () {
  const choice = yield* HomeDatabase.chosenToRead
  return choice._tag === "Postgres" ? databaseClient.layerUntouched(choice) : yield* new NoCluster()
})

export const withCluster = <A, E, R>(use: (cluster: ClusterStore) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const opened = Layer.build(Layer.provide(RunStore.layerUntouched, yield* client))
    const store = yield* Effect.mapError(opened, hinted)
    return yield* Effect.provide(use(Context.get(store, RunStore.RunStore).cluster), store)
  }).pipe(Effect.scoped, Effect.provide(Home.layerUntouched))

const hinted = (error: Layer.Layer.Error<ReturnType<typeof databaseClient.layerUntouched>>) =>
  error.reason === "version" ? new Hinted({ error, hint: "migrate it with: charlotte cluster migrate" }) : error

/** Finds a node by its address, or by its host if only one node is there. */
export const find = (nodes: ReadonlyArray<Node>, named: string): Effect.Effect<Node, NoSuchNode> => {
  const exact = nodes.find(({ address }) => address === named)
  const onHost = nodes.filter(({ address }) => address.replace(/:\d+$/, "") === named)
  const found = exact ?? (onHost.length === 1 ? onHost[0] : undefined)
  const addresses = nodes.map(({ address }) => address)
  return found === undefined ? new NoSuchNode({ node: named, nodes: addresses }) : Effect.succeed(found)
}

/** How many jobs run on each address. */
export const runningOn = (cluster: ClusterStore) =>
  Effect.map(cluster.held(kind), (held) => {
    const counts = new Map<string, number>()
    for (const { address = "" } of held) counts.set(address, (counts.get(address) ?? 0) + 1)
    return { active: held.length, on: (address: string) => counts.get(address) ?? 0 }
  })
