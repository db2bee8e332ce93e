/**
 * Runs a subscriber for as long as the scope lives: one instance at a time is live, and the others stand by.
 */
import { Cause, type Duration, Effect, Option, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import type * as RunStoreService from "../../store/port/RunStoreService.js"
import { deliver, type Subscription } from "./deliver.js"

/** Milliseconds between two attempts to become the live instance. */
const standBy = 1_000

export const subscribe = <R>(
  store: RunStoreService.Service,
  subscription: Subscription<R> & { readonly from: "now" | "start"; readonly hold: Duration.Duration }
): Effect.Effect<void, StoreError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { from, hold, kinds, name, types } = subscription
    const { sleep } = yield* RealClock
    yield* store.outsideTransaction
    const register = Effect.flatMap(store.now, (at) =>
      store.subscribers.register({ name, kinds, types, from, hold, at })
    )
    yield* register

    const run = Effect.gen(function* () {
      const lock = yield* store.subscribers.tryLock(name)
      if (Option.isNone(lock)) {
        // It may have been removed, while no instance was live.
        const progress = yield* store.subscribers.progress({ name, after: Number.MAX_SAFE_INTEGER })
        if (Option.isNone(progress)) yield* register
        return yield* sleep(standBy)
      }
      yield* store.producers.follow
      yield* deliver(store, subscription, lock.value)
    }).pipe(
      Effect.scoped,
      Effect.catchAll((error) =>
        Effect.zipRight(Effect.logWarning("the subscriber cannot begin yet", Cause.fail(error)), sleep(standBy))
      ),
      Effect.forever,
      Effect.annotateLogs({ module: "Subscriber", subscriber: name })
    )
    yield* background.fork(run)
  })
