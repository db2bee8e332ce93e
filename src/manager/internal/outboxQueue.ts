/**
 * Queues the runs that transactions of the application, and producers, have inserted. PostgreSQL announces their commits, SQLite does
 * not: there the insert wakes the queue, which then waits for the connection until the transaction has ended. Both are polled for
 * commits of other processes.
 */
import { Cause, Effect, Option, Ref } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Outbox } from "../../store/port/RunStoreService.js"

/** Milliseconds between two polls. */
const pollInterval = 1_000

/** Queues the runs that an earlier manager has left. Returns the effect that queues later runs for as long as the manager lives. */
export const make = (kind: string, outbox: Outbox): Effect.Effect<Effect.Effect<never>, StoreError> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const isFailing = yield* Ref.make(false)
    const committed = outbox.committed(kind)
    /** The version of `committed` at which the outbox was empty. */
    const emptyAt = yield* Ref.make(Option.none<number>())

    const queue = Effect.gen(function* () {
      const version = yield* committed.version
      const queued = yield* outbox.queue(kind)
      yield* Ref.set(emptyAt, queued === 0 ? Option.some(version) : Option.none())
      yield* Ref.set(isFailing, false)
    })
    yield* queue

    const changed = Effect.flatMap(
      Ref.get(emptyAt),
      Option.match({
        onNone: () => Effect.void,
        onSome: (version) =>
          outbox.isShared ? race.first([committed.changed(version), sleep(pollInterval)]) : committed.changed(version)
      })
    )
    // A failure is logged once, since it occurs again with every poll.
    const pause = (cause: Cause.Cause<StoreError>) =>
      Effect.flatMap(Ref.getAndSet(isFailing, true), (wasFailing) =>
        Effect.zipRight(
          wasFailing ? Effect.void : Effect.logWarning("runs of transactions could not be queued yet", cause),
          sleep(pollInterval)
        )
      )
    return Effect.forever(
      Effect.catchAllCause(Effect.zipRight(changed, queue), (cause) =>
        Cause.isInterrupted(cause) ? Effect.interrupt : pause(cause)
      )
    )
  })
