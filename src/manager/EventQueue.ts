/**
 * What an orchestrator has emitted and the log does not hold yet. Bounded and in order; one write at a time takes all that
 * has gathered while the last one was on its way.
 */
import { Deferred, Effect, FiberId } from "effect"
import type { AcceptedEvent } from "../store/Port.js"
import { WallClock } from "../store/WallClock.js"

export interface EventQueue {
  /** Accepts an event; waits while the queue is full. */
  readonly offer: (event: AcceptedEvent) => Effect.Effect<void>
  /** Returns when all that was accepted before is written. */
  readonly flush: Effect.Effect<void>
}

/** How many events may wait; as many again may be on their way. */
const capacity = 1_024

interface Batch {
  readonly events: Array<AcceptedEvent>
  /** It is on its way: there is room again. */
  readonly taken: Deferred.Deferred<void>
  readonly written: Deferred.Deferred<void>
}

const makeBatch = (): Batch => ({
  events: [],
  taken: Deferred.unsafeMake(FiberId.none),
  written: Deferred.unsafeMake(FiberId.none)
})

export const make = (options: {
  /** Returns when the events are in the log, or never will be. */
  readonly write: (events: ReadonlyArray<AcceptedEvent>) => Effect.Effect<void>
  /** Runs the writing of what has gathered; there is no fiber while nothing has. */
  readonly fork: (drain: Effect.Effect<void>) => void
}): EventQueue => {
  let gathering: Batch | undefined
  let onItsWay: Batch | undefined

  // To end one batch and to take the next is one step: while it is not idle, nobody else begins to write.
  const next = (): Effect.Effect<void> => {
    const batch = gathering
    gathering = undefined
    onItsWay = batch
    if (batch === undefined) return Effect.void
    Deferred.unsafeDone(batch.taken, Effect.void)
    return Effect.zipRight(
      options.write(batch.events),
      Effect.suspend(() => {
        Deferred.unsafeDone(batch.written, Effect.void)
        return next()
      })
    )
  }

  // What is emitted without a wait between goes together, and into the transaction of what is recorded right after it.
  const drain = Effect.zipRight(
    Effect.flatMap(WallClock, ({ turn }) => turn),
    Effect.suspend(next)
  )

  const offer = (event: AcceptedEvent): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (gathering !== undefined && gathering.events.length >= capacity) {
        return Effect.zipRight(Deferred.await(gathering.taken), offer(event))
      }
      const idle = gathering === undefined && onItsWay === undefined
      gathering ??= makeBatch()
      gathering.events.push(event)
      // Last, for a fiber runs at once.
      if (idle) options.fork(drain)
      return Effect.void
    })

  return {
    offer,
    flush: Effect.suspend(() => {
      const last = gathering ?? onItsWay
      return last === undefined ? Effect.void : Deferred.await(last.written)
    })
  }
}
