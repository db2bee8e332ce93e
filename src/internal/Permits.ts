/**
 * Permits for effects that must not run at the same time. Effect's semaphore (3.22) loses a permit where a fiber is interrupted
 * between taking it and using it, and all later callers wait for ever.
 */
import { Effect, type Order } from "effect"

/** Runs an effect once a permit is free. Waiting can be interrupted. */
export type Permits = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface Caller<Rank> {
  rank: Rank
  hasPermit: boolean
  resume: () => void
}

const callerOf = <Rank>(rank: Rank): Caller<Rank> => ({ rank, hasPermit: false, resume: () => {} })

/** The permits, and the callers that wait for one. */
export class Queue<Rank = undefined> {
  /** The number of permits that are in use. */
  used = 0
  private count: number
  private readonly order: Order.Order<Rank> | undefined
  private readonly waiting = new Set<Caller<Rank>>()

  /** Without an order, callers take permits in the order in which they came; this also decides between equal ranks. */
  constructor(count: number, order?: Order.Order<Rank>) {
    this.count = count
    this.order = order
  }

  resize(count: number): void {
    this.count = count
    this.grant()
  }

  tryTake(caller: Caller<Rank>): boolean {
    if (this.used < this.count) this.give(caller)
    return caller.hasPermit
  }

  take(caller: Caller<Rank>): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      caller.resume = () => resume(Effect.void)
      this.waiting.add(caller)
      this.grant()
    })
  }

  /** Releases the permit, or ends the wait. The caller's record decides, since its fiber may be interrupted in between. */
  leave(caller: Caller<Rank>): void {
    this.waiting.delete(caller)
    if (!caller.hasPermit) return
    caller.hasPermit = false
    this.used -= 1
    this.grant()
  }

  private give(caller: Caller<Rank>): void {
    this.used += 1
    caller.hasPermit = true
    caller.resume()
  }

  private grant(): void {
    while (this.used < this.count) {
      const next = this.next()
      if (next === undefined) return
      this.waiting.delete(next)
      this.give(next)
    }
  }

  private next(): Caller<Rank> | undefined {
    let [first] = this.waiting
    const { order } = this
    if (order === undefined || first === undefined) return first
    for (const caller of this.waiting) if (order(caller.rank, first.rank) < 0) first = caller
    return first
  }
}

const holding =
  <Rank>(queue: Queue<Rank>, callerFor: () => Caller<Rank>, wait: Permits = (take) => take): Permits =>
  (self) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const caller = callerFor()
        const taken = queue.tryTake(caller)
          ? restore(self)
          : Effect.zipRight(restore(wait(queue.take(caller))), restore(self))
        return Effect.ensuring(
          taken,
          Effect.sync(() => queue.leave(caller))
        )
      })
    )

/** In the order of the callers. */
export const make = (count: number): Permits => {
  const queue = new Queue(count)
  return holding(queue, () => callerOf(undefined))
}

/** A permit for a caller of a rank; `wait` is around the wait of a caller that has to wait. */
export const ranked = <Rank>(queue: Queue<Rank>, rank: Rank, wait: Permits): Permits =>
  holding(queue, () => callerOf(rank), wait)

export interface Lendable {
  readonly hold: Permits
  /** Within `hold`: releases the permit while an effect runs, and then takes it again before callers that never had one. */
  readonly lend: Permits
}

/** The permit of one caller at a time. */
export const lendable = (queue: Queue<number>): Lendable => {
  const caller = callerOf(1)
  return {
    hold: holding(queue, () => caller),
    lend: (self) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          queue.leave(caller)
          caller.rank = 0
          return Effect.flatMap(restore(self), (value) => Effect.as(restore(queue.take(caller)), value))
        })
      )
  }
}
