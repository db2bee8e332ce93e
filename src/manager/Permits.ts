/**
 * The places that jobs take. Effect's semaphore cannot be asked for one without waiting, but around the whole life of what has
 * it; and there it keeps two kilobytes for each job.
 */
import { Effect, Exit } from "effect"
import * as Once from "./Once.js"

export interface Permits {
  /** Takes one, if one is free. */
  readonly tryTake: () => boolean
  readonly release: () => void
  /** Returns when none is taken. */
  readonly none: Effect.Effect<void>
}

export const make = (count: number): Permits => {
  let taken = 0
  let idle = Once.make<void>()
  return {
    tryTake: () => {
      if (taken >= count) return false
      taken += 1
      return true
    },
    release: () => {
      taken -= 1
      if (taken > 0) return
      idle.done(Exit.void)
      idle = Once.make()
    },
    none: Effect.suspend(() => (taken === 0 ? Effect.void : idle.await))
  }
}
