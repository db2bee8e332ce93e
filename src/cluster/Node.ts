/**
 * This process as a node: it renews its record every second. If the database does not respond within the lease, the node releases its
 * jobs before others may take them over.
 */
import { Cause, Clock, Effect, Ref, type Scope } from "effect"
import type { AlreadyManaged, NodeConflict, StoreError } from "../domain/errors.js"
import * as background from "../internal/background.js"
import { RealClock } from "../internal/RealClock.js"
import { heartbeatInterval, leaseCheckInterval } from "../internal/timing.js"
import type { ClusterStore, NewNode, Runner } from "../store/port/RunStoreService.js"
import { retryWhileInUse } from "./retryWhileInUse.js"

export interface Node {
  readonly runner: Runner
  /** Whether others may rely on this node: the database has responded within the lease. */
  readonly isFresh: Effect.Effect<boolean>
}

/** The longer of the times between two readings of the same clocks, in milliseconds. */
const elapsed = (now: ReadonlyArray<number>, from: ReadonlyArray<number>): number =>
  Math.max(...now.map((time, i) => time - (from[i] ?? time)))

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
    const { now: wall, turn } = yield* RealClock
    // The lease is measured by both clocks: one may be set, the other does not run while the machine sleeps.
    const times = Effect.all([Clock.currentTimeMillis, wall])
    const renewedAt = yield* Ref.make(yield* times)
    const since = Effect.zipWith(times, Ref.get(renewedAt), elapsed)
    const isFresh = Effect.map(since, (millis) => millis <= lease)
    /** How often the lease was checked since then: a process that is starved or suspended checks it less often. */
    const checks = yield* Ref.make(0)

    const isLost = yield* Ref.make(false)
    const lapse = Effect.gen(function* () {
      if (yield* Ref.getAndSet(isLost, true)) return
      const [silent, ran] = [yield* since, (yield* Ref.get(checks)) * leaseCheckInterval]
      const why =
        ran < silent / 2
          ? `this process has run for only ${ran} of the last ${Math.round(silent)} ms`
          : `the database has not answered for ${lease} ms`
      yield* Effect.logError(`${why}: this node lets go of its jobs, and others continue them`)
      yield* letGo
    })
    const check = Effect.gen(function* () {
      // After a pause of this process, a timer fires before an answer is read that arrived long ago.
      if (!(yield* isFresh)) yield* turn
      yield* (yield* isFresh) ? Ref.set(isLost, false) : lapse
    })

    const renew = Effect.gen(function* () {
      const asked = yield* times
      // The node is no longer recorded: another node considered it dead, and took its address.
      if (!(yield* store.renew(node.id))) yield* store.join(node)
      // The lease must have held until this was sent: otherwise, another node may have taken over jobs meanwhile.
      if (elapsed(asked, yield* Ref.get(renewedAt)) > lease) yield* lapse
      yield* Ref.set(renewedAt, asked)
      yield* Ref.set(checks, 0)
      yield* onRenewed(Math.max(0, yield* since))
    }).pipe(
      Effect.catchAllCause((cause) =>
        Cause.isInterrupted(cause) ? Effect.interrupt : Effect.logWarning("the node has given no sign of life", cause)
      )
    )
    const count = Ref.update(checks, (n) => n + 1)
    yield* background.fork(
      Effect.forever(Effect.sleep(leaseCheckInterval).pipe(Effect.zipRight(count), Effect.zipRight(check)))
    )
    yield* renew
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.sleep(heartbeatInterval), renew)))
    // The disconnect is repeated for connections that were opened since: the database may be silent for longer.
    const disconnect = Effect.flatMap(isFresh, (isFresh) => (isFresh ? Effect.void : store.disconnect))
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.sleep(lease), disconnect)))
    return { runner: { node: node.id, address: node.address, capacity: node.capacity }, isFresh }
  })
