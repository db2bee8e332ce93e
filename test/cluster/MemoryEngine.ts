/**
 * The engine of several nodes in one process. Shards are dealt out again whenever a node comes or goes.
 */
import { Effect, Layer, Option, type Scope } from "effect"
import type { JobId } from "charlotte"
import { Engine, type Requests, type Service, Unrouted } from "../../src/cluster/Engine.js"
import { allShards, shardOf } from "../../src/store/port/shard.js"

interface Member {
  readonly address: string
  readonly serving: Map<string, Requests>
  /** Whether others reach it. */
  isReachable: boolean
}

export interface Network {
  /** A node of that address, for as long as the scope lives. */
  readonly join: (address: string) => Effect.Effect<Service, never, Scope.Scope>
  /** Its lock has expired: others have its shards. */
  readonly expire: (address: string) => Effect.Effect<void>
  /** No request reaches it. */
  readonly cut: (address: string) => Effect.Effect<void>
}

export const make: Effect.Effect<Network> = Effect.sync(() => {
  const members: Array<Member> = []
  const holderOf = (shard: number): Member | undefined => members[shard % Math.max(1, members.length)]
  const ownerOf = (id: JobId.JobId) => holderOf(shardOf(id))
  const remove = (address: string) => {
    const index = members.findIndex((member) => member.address === address)
    if (index >= 0) members.splice(index, 1)
  }

  const routed = <A, E>(
    kind: string,
    id: JobId.JobId,
    address: string | undefined,
    ask: (requests: Requests) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | Unrouted> =>
    Effect.suspend((): Effect.Effect<A, E | Unrouted> => {
      const owner = address === undefined ? ownerOf(id) : members.find((member) => member.address === address)
      const requests = owner?.isReachable === true ? owner.serving.get(kind) : undefined
      return requests === undefined ? new Unrouted({ jobId: id }) : ask(requests)
    })

  return {
    expire: (address) => Effect.sync(() => remove(address)),
    cut: (address) =>
      Effect.sync(() => {
        for (const member of members) if (member.address === address) member.isReachable = false
      }),
    join: (address) =>
      Effect.gen(function* () {
        const own: Member = { address, serving: new Map(), isReachable: true }
        yield* Effect.acquireRelease(
          Effect.sync(() => members.push(own)),
          () => Effect.sync(() => remove(address))
        )
        return {
          address,
          hasShard: (id) => ownerOf(id) === own,
          shards: () => allShards.filter((shard) => holderOf(shard) === own),
          holders: Effect.sync(() => new Map(allShards.map((shard) => [shard, holderOf(shard)?.address ?? ""]))),
          nodesOf: (ids) => Effect.sync(() => ids.map((id) => Option.fromNullable(ownerOf(id)?.address))),
          serve: (kind, requests) =>
            Effect.acquireRelease(
              Effect.sync(() => own.serving.set(kind, requests)),
              () => Effect.sync(() => own.serving.delete(kind))
            ),
          ask: (kind, address) => ({
            wake: (id) => Effect.ignore(routed(kind, id, address, ({ wake }) => wake(id))),
            stop: (id, grace) => routed(kind, id, address, ({ stop }) => stop(id, grace))
          })
        }
      })
  }
})

/** The engine of a cluster of one node. */
export const layer = Layer.scoped(
  Engine,
  Effect.flatMap(make, ({ join }) => join("a:1"))
)
