/**
 * What both databases do for subscribers in the same way.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import { AlreadySubscribed, type StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import { heartbeatInterval, lease } from "../../internal/timing.js"
import { storable } from "./storableWork.js"
import type { SubscriberLock, SubscriberStore } from "../port/RunStoreService.js"

/** The maximum number of undelivered events that a list shows of a subscriber. */
export const maxShown = 10

/** The maximum length of a recorded failure. */
const maxError = 4_000

/** A failure as it is recorded. */
export const shortError = (error: string): string => storable(error.slice(0, maxError))

/** The maximum number of undelivered events that are read at once. */
export const maxUndelivered = 1_000

/** The names that are in use on a store. */
export const makeClaim = (): SubscriberStore["claim"] => {
  const names = new Set<string>()
  return (name) =>
    Effect.acquireRelease(
      Effect.suspend(() =>
        names.has(name) ? new AlreadySubscribed({ subscriber: name }) : Effect.sync(() => void names.add(name))
      ),
      () => Effect.sync(() => void names.delete(name))
    )
}

/** Renews a lease while the scope is open. Another holder may have it `deadAfter` after the last renewal. */
export const keepLease = (
  holder: string,
  renew: Effect.Effect<boolean, StoreError>
): Effect.Effect<SubscriberLock, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { now, sleep } = yield* RealClock
    const lost = Deferred.unsafeMake<void>(FiberId.none)
    let answeredAt = yield* now
    const step = Effect.gen(function* () {
      yield* sleep(heartbeatInterval)
      const asked = yield* now
      const isHeld = yield* Effect.orElseSucceed(renew, () => undefined)
      if (isHeld === true) answeredAt = asked
      if (isHeld === false || (yield* now) - answeredAt > lease) yield* Deferred.succeed(lost, undefined)
      return yield* Deferred.isDone(lost)
    })
    yield* background.fork(Effect.repeat(step, { until: (isLost) => isLost }))
    return { holder, lost: Deferred.await(lost) }
  })
