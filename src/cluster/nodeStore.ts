/**
 * The store as a node sees it: the waiting runs of its shards, and of shards that belong to no node that begins jobs; and it begins a
 * run only within the limit of the cluster.
 */
import { Effect } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import * as race from "../internal/race.js"
import type { Runner } from "../store/port/ClusterStore.js"
import type { Notifier } from "../store/port/ChangeNotifier.js"
import type { Service as Store } from "../store/port/RunStoreService.js"

/** How many due runs are searched for a run of this node. */
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
    left,
    runner,
    ticks,
    version
  }: {
    readonly runner: Runner
    /** The version of the kind: this node sees no runs that it has refused. */
    readonly version: string
    readonly hasShard: (id: JobId) => Effect.Effect<boolean>
    /** The runs among these whose shard belongs to no node that begins jobs: any node may begin them. */
    readonly left: (ids: ReadonlyArray<JobId>) => Effect.Effect<ReadonlySet<JobId>, StoreError>
    /** Changes with each sweep, which sees what other nodes have committed. */
    readonly ticks: Notifier
  }
): Store => ({
  ...store,
  begin: (beginning) => store.cluster.begin(beginning, runner),
  due: ({ limit, ...query }) =>
    Effect.gen(function* () {
      const due = yield* store.due({ ...query, limit: lookAhead, version })
      // Any node of another version begins a run that one has refused.
      const own = yield* Effect.filter(due, ({ run }) =>
        run.refusedBy === undefined ? hasShard(run.id) : Effect.succeed(true)
      )
      if (own.length > 0 || due.length === 0) return own.slice(0, limit)
      const ids = yield* left(due.map(({ run }) => run.id))
      return due.filter(({ run }) => ids.has(run.id)).slice(0, limit)
    }),
  waiting: (kind) =>
    Effect.map(store.waiting(kind), ({ due, times }) => ({ due: either(due, ticks), times: either(times, ticks) }))
})
