/**
 * The nodes of a cluster and its limit, read and changed in the database, for jobs of any kind: the operations of `charlotte cluster`.
 * They need no manager in this process.
 *
 * @since 0.2.0
 */
import { Effect, Option, Schedule, Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { Node } from "../store/port/RunStoreService.js"
import { RunStore } from "../store/RunStore.js"

export type { Node } from "../store/port/RunStoreService.js"

/**
 * No node for jobs of that kind has this address.
 *
 * @since 0.2.0
 * @category errors
 */
export class NodeNotFound extends Schema.TaggedError<NodeNotFound>()("NodeNotFound", {
  kind: Schema.String,
  address: Schema.String
}) {
  override get message() {
    return `no node for jobs of kind "${this.kind}" has the address ${this.address}`
  }
}

/**
 * Names a node by the kind of its jobs and its address in the cluster.
 *
 * @since 0.2.0
 * @category options
 */
export interface Named {
  readonly kind: string
  readonly address: string
}

const find = ({ address, kind }: Named) =>
  Effect.map(list(kind), (nodes) => Option.fromNullable(nodes.find((node) => node.address === address)))

/**
 * The nodes for jobs of a kind, oldest first, including nodes that have died within the last day.
 *
 * @since 0.2.0
 * @category operations
 */
export const list = (kind: string): Effect.Effect<ReadonlyArray<Node>, StoreError, RunStore> =>
  Effect.flatMap(RunStore, ({ cluster }) => cluster.nodes(kind))

/**
 * Keeps new jobs from a node until it leaves the cluster; with `undo`, lets it take jobs again. The jobs that it runs continue.
 *
 * @since 0.2.0
 * @category operations
 * @example
 * import { Nodes } from "charlotte/cluster"
 * import { Effect } from "effect"
 *
 * const emptied = (address: string) =>
 *   Effect.zipRight(Nodes.drain({ kind: "email", address }), Nodes.untilIdle({ kind: "email", address }))
 */
export const drain = (
  named: Named,
  { undo = false }: { readonly undo?: boolean } = {}
): Effect.Effect<void, NodeNotFound | StoreError, RunStore> =>
  Effect.gen(function* () {
    const { cluster } = yield* RunStore
    const node = yield* Effect.flatten(find(named)).pipe(
      Effect.catchTag("NoSuchElementException", () => new NodeNotFound({ kind: named.kind, address: named.address }))
    )
    yield* cluster.drain(node.id, !undo)
  })

/**
 * Waits until a node runs no job of the kind, or has left the cluster.
 *
 * @since 0.2.0
 * @category operations
 */
export const untilIdle = (named: Named): Effect.Effect<void, StoreError, RunStore> =>
  Effect.gen(function* () {
    const { cluster } = yield* RunStore
    const first = yield* find(named)
    const isIdle = Effect.gen(function* () {
      const now = yield* find(named)
      // Another process may have the address by now.
      if (Option.isNone(first) || !Option.exists(now, ({ id }) => id === first.value.id)) return true
      return !(yield* cluster.held(named.kind)).some(({ address }) => address === named.address)
    })
    yield* Effect.repeat(isIdle, { until: (isIdle) => isIdle, schedule: Schedule.spaced("500 millis") })
  })

/**
 * How many jobs of a kind all nodes together may run; none if no node has recorded it yet.
 *
 * @since 0.2.0
 * @category operations
 */
export const limit = (kind: string): Effect.Effect<Option.Option<number>, StoreError, RunStore> =>
  Effect.flatMap(RunStore, ({ cluster }) => cluster.currentLimit(kind))

/**
 * Sets how many jobs of a kind all nodes together may run, from now on.
 *
 * @since 0.2.0
 * @category operations
 */
export const setLimit = (query: {
  readonly kind: string
  readonly maxJobs: number
}): Effect.Effect<void, StoreError, RunStore> => Effect.flatMap(RunStore, ({ cluster }) => cluster.setLimit(query))
