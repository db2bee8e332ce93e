/**
 * Permits for effects that must not run at the same time. Effect's semaphore (3.22) loses a permit where a fiber is interrupted
 * between taking it and using it, and all later callers wait for ever.
 */
import { Effect } from "effect"

/** Runs an effect once a permit is free, in the order of the callers. Waiting can be interrupted. */
export type Permits = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface Caller {
  hasPermit: boolean
  resume: () => void
}

export const make = (count: number): Permits => {
  let free = count
  const waiting = new Set<Caller>()

  const release = () => {
    const [next] = waiting
    if (next === undefined) return void (free += 1)
    waiting.delete(next)
    next.hasPermit = true
    next.resume()
  }

  return (self) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const caller: Caller = { hasPermit: free > 0, resume: () => {} }
        if (caller.hasPermit) free -= 1
        else waiting.add(caller)
        const turn = Effect.async<void>((resume) => {
          caller.resume = () => resume(Effect.void)
          if (caller.hasPermit) caller.resume()
        })
        // The caller's record decides, not whether its turn has come to an end: the caller may be interrupted in between.
        const leave = Effect.sync(() => (caller.hasPermit ? release() : void waiting.delete(caller)))
        return Effect.ensuring(caller.hasPermit ? restore(self) : Effect.zipRight(restore(turn), restore(self)), leave)
      })
    )
}
