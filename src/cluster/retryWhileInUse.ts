/**
 * Retries while a node that was killed still has the address: it stays recorded until it counts as dead.
 */
import { Clock, Effect } from "effect"
import { NodeConflict, type StoreError } from "../domain/errors.js"
import { deadAfter } from "../internal/timing.js"
import type { ClusterStore, NewNode } from "../store/port/RunStoreService.js"
import * as StartProgress from "../store/port/StartProgress.js"

/** Milliseconds between two tries, and the margin until a node that was killed just before is dead. */
const pause = 1_000
const longestWait = deadAfter + pause

type Address = Pick<NewNode, "address" | "kind">

/** Retries an effect that fails because another node has the address. Reports the wait once, since it would seem to hang. */
export const retryWhileInUse = <A, E, R>(
  store: ClusterStore,
  address: Address,
  use: Effect.Effect<A, E | NodeConflict, R>
): Effect.Effect<A, E | NodeConflict, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (began) => {
    const retry = (conflict: NodeConflict): Effect.Effect<A, E | NodeConflict, R> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        now - began > longestWait ? Effect.fail(conflict) : Effect.delay(Effect.catchIf(use, isConflict, retry), pause)
      )
    return Effect.catchIf(use, isConflict, (conflict) =>
      Effect.zipRight(Effect.ignore(reportWait(store, address)), retry(conflict))
    )
  })

const isConflict = (error: unknown): error is NodeConflict => error instanceof NodeConflict

const reportWait = (store: ClusterStore, { address, kind }: Address): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const holder = (yield* store.nodes(kind)).find((node) => node.address === address)
    if (holder === undefined) return
    const { machine, pid, seenAgo } = holder
    yield* StartProgress.report(
      `the address ${address} is that of process ${pid} on machine ${machine}, whose last sign of life is ` +
        `${Math.round(seenAgo / 1_000)} s old; waiting up to ${longestWait / 1_000} s until it counts as dead`
    )
  })
