/**
 * The store as a node sees it: the waiting runs of its share, and of shards whose nodes begin none at the moment; and it begins a run only
 * within the limit of the cluster.
 */
import { Effect, Option } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as race from "../internal/race.js"
import type { Node, Runner, Service as Store } from "../store/port/RunStoreService.js"
import type { Notifier } from "../store/port/ChangeNotifier.js"
import { allShards } from "../store/port/shard.js"
import type { Service as Engine } from "./Engine.js"
import { taking } from "./startPlaced.js"

/** A notifier that changes when either does. */
const either = (a: Notifier, b: Notifier): Notifier => ({
  version: Effect.zipWith(a.version, b.version, (a, b) => a + b),
  changed: (seen) =>
    Effect.gen(function* () {
      const [ofA, ofB] = [yield* a.version, yield* b.version]
      if (ofA + ofB === seen) yield* race.first([a.changed(ofA), b.changed(ofB)])
    })
})

export const make = (
  store: Store,
  {
    engine,
    isFresh,
    nodes,
    runner,
    ticks,
    version
  }: {
    readonly runner: Runner
    /** The version of the kind: this node sees no runs that it has refused. */
    readonly version: string
    readonly engine: Pick<Engine, "holders" | "shards">
    /** Whether this node may take jobs: the database has responded within its lease. */
    readonly isFresh: Effect.Effect<boolean>
    readonly nodes: Effect.Effect<ReadonlyArray<Node>, StoreError>
    /** Changes with each sweep, which sees what other nodes have committed. */
    readonly ticks: Notifier
  }
): Store => {
  /**
   * The shards whose nodes are full, draining or dead, and that fall to this node. The nodes with room divide them by number, so that they
   * do not all try to begin the same run.
   */
  const left = Effect.gen(function* () {
    const holders = yield* engine.holders
    const able = taking(yield* nodes)
      .flatMap(({ address, capacity, running }) => (running < capacity ? [address] : []))
      .sort()
    return allShards.filter(
      (shard) => able[shard % able.length] === runner.address && !able.includes(holders.get(shard) ?? "")
    )
  })

  return {
    ...store,
    begin: (beginning) => store.cluster.begin(beginning, runner),
    due: ({ kind, statuses }) =>
      Effect.gen(function* () {
        if (!(yield* isFresh)) return []
        const next = (shards: ReadonlyArray<number>) => store.cluster.next({ kind, statuses, version, shards })
        const own = yield* next(engine.shards())
        if (Option.isSome(own)) return [own.value]
        if ((yield* store.countDue({ kind, statuses, limit: 1 })) === 0) return []
        const shards = yield* left
        return shards.length === 0 ? [] : Option.toArray(yield* next(shards))
      }),
    waiting: (kind) =>
      Effect.map(store.waiting(kind), ({ due, times }) => ({ due: either(due, ticks), times: either(times, ticks) }))
  }
}
