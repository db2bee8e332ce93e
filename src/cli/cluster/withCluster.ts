/**
 * The nodes and limits in the database of a home, read and changed there: it needs no daemon on this machine.
 */
import { Context, Effect, Layer } from "effect"
import * as databaseClient from "../../daemon/layers/databaseClient.js"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as Home from "../../daemon/home/Home.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import { Problem } from "../../daemon/Problem.js"
import { JobManager } from "../../manager/JobManager.js"
import type { ClusterStore, Node } from "../../store/port/RunStoreService.js"
import * as RunStore from "../../store/RunStore.js"
import { suggestion } from "../../yaml/didYouMean.js"
import { Hinted } from "../errors/Hinted.js"

export const { kind } = JobManager

/** The client of that database. */
export const client = Effect.gen(function* () {
  const choice = yield* HomeDatabase.chosenToRead
  if (choice._tag === "Postgres") return databaseClient.layerUntouched(choice)
  return yield* new Problem({
    name: "NoCluster",
    problem: "the jobs of this home are in a SQLite file, and the nodes of a cluster share a PostgreSQL database",
    hint: `name it in CHARLOTTE_DATABASE, such as ${DatabaseChoice.example}`,
    details: {}
  })
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
export const find = (nodes: ReadonlyArray<Node>, named: string): Effect.Effect<Node, Problem> => {
  const exact = nodes.find(({ address }) => address === named)
  const onHost = nodes.filter(({ address }) => address.replace(/:\d+$/, "") === named)
  const found = exact ?? (onHost.length === 1 ? onHost[0] : undefined)
  if (found !== undefined) return Effect.succeed(found)
  const addresses = nodes.map(({ address }) => address)
  const problem = `no node has the address "${named}"${suggestion(named, addresses)}`
  return new Problem({ name: "NoSuchNode", problem, details: { node: named, nodes: addresses } })
}

/** How many jobs run on each address. */
export const runningOn = (cluster: ClusterStore) =>
  Effect.map(cluster.held(kind), (held) => {
    const counts = new Map<string, number>()
    for (const { address = "" } of held) counts.set(address, (counts.get(address) ?? 0) + 1)
    return { active: held.length, on: (address: string) => counts.get(address) ?? 0 }
  })
