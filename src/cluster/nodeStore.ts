/**
 * The store as a node sees it: the runs that wait are those of its shards, and it begins one within the limit of the cluster.
 */
import { Effect } from "effect"
import * as race from "../internal/race.js"
import type { Runner } from "../store/ClusterStore.js"
import type { Notifier } from "../store/ChangeNotifier.js"
import type { Service as Store } from "../store/RunStoreService.js"

/** How many due runs are searched for one of this node. */
const lookAhead = 200

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
    hasShard,
    runner,
    ticks
  }: {
    readonly runner: Runner
    readonly hasShard: (id: Parameters<Store["get"]>[0]) => Effect.Effect<boolean>
    /** Changes with each sweep, which sees what other nodes have committed. */
    readonly ticks: Notifier
  }
): Store => ({
  ...store,
  begin: (beginning) => store.cluster.begin(beginning, runner),
  due: ({ limit, ...query }) =>
    Effect.flatMap(store.due({ ...query, limit: lookAhead }), (due) =>
      Effect.map(
        Effect.filter(due, ({ run }) => hasShard(run.id)),
        (own) => own.slice(0, limit)
      )
    ),
  waiting: (kind) =>
    Effect.map(store.waiting(kind), ({ due, times }) => ({ due: either(due, ticks), times: either(times, ticks) }))
})
