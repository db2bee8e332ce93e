/**
 * This process as a node: it renews its record every second. If the database does not respond within the lease, the node releases its
 * jobs before others may take them over.
 */
import { Cause, Clock, Effect, Ref, type Scope } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../domain/errors.js"
import * as background from "../internal/background.js"
import { RealClock } from "../internal/RealClock.js"
import { heartbeatInterval, leaseCheckInterval } from "../internal/timing.js"
import type { ClusterStore, NewNode, Runner } from "../store/port/ClusterStore.js"
import { retryWhileInUse } from "./retryWhileInUse.js"

export interface Node {
  readonly runner: Runner
  /** Whether others may rely on this node: the database has responded within the lease. */
  readonly isFresh: Effect.Effect<boolean>
}

type JoinError = NodeConflict | AlreadyManaged | StoreError

export const make = (
  store: ClusterStore,
  node: NewNode,
  {
    lease,
    letGo,
    onRenewed
  }: {
    /** The lease in milliseconds. */
    readonly lease: number
    /** Interrupts the jobs of this node. */
    readonly letGo: Effect.Effect<void>
    /** Called when the database has responded to a renewal, with its age: the milliseconds since it was sent. */
    readonly onRenewed: (age: number) => Effect.Effect<void>
  }
): Effect.Effect<Node, JoinError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(retryWhileInUse(store, node, store.join(node)), () =>
      Effect.ignoreLogged(store.leave(node.id))
    )
    const { now: wall } = yield* RealClock
    // The lease is measured by both clocks: one may be set, the other does not run while the machine sleeps.
    const times = Effect.all([Clock.currentTimeMillis, wall])
    const renewedAt = yield* Ref.make(yield* times)
    const isFresh = Effect.zipWith(times, Ref.get(renewedAt), (now, at) =>
      now.every((time, i) => time - (at[i] ?? 0) <= lease)
    )

    const isLost = yield* Ref.make(false)
    const check = Effect.gen(function* () {
      const isLate = !(yield* isFresh)
      if ((yield* Ref.getAndSet(isLost, isLate)) || !isLate) return
      yield* Effect.logError(
        `the database has not answered for ${lease} ms: this node lets go of its jobs, and others continue them`
      )
      yield* letGo
    })

    const renew = Effect.gen(function* () {
      const asked = yield* times
      // The node is no longer recorded: another node considered it dead, and took its address.
      if (!(yield* store.renew(node.id))) yield* store.join(node)
      // After a pause of this process, this timer may fire before the timer of the check.
      yield* check
      yield* Ref.set(renewedAt, asked)
      const answered = yield* times
      yield* onRenewed(Math.max(0, ...answered.map((time, i) => time - (asked[i] ?? 0))))
    }).pipe(
      Effect.catchAllCause((cause) =>
        Cause.isInterrupted(cause) ? Effect.interrupt : Effect.logWarning("the node has given no sign of life", cause)
      )
    )
    yield* renew
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.sleep(heartbeatInterval), renew)))
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.sleep(leaseCheckInterval), check)))
    // The disconnect is repeated for connections that were opened since: the database may be silent for longer.
    const disconnect = Effect.flatMap(isFresh, (isFresh) => (isFresh ? Effect.void : store.disconnect))
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.sleep(lease), disconnect)))
    return { runner: { node: node.id, address: node.address, capacity: node.capacity }, isFresh }
  })
