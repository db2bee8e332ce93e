/**
 * Wake-ups for whoever reads the event log. A reader takes the version, reads a page, and then waits for another version:
 * what is committed in between has already changed it, so no wake-up is lost.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import type { JobId } from "../domain/JobId.js"

export interface Signal {
  /** Counts the commits since somebody began to look. */
  readonly version: Effect.Effect<number>
  /** Returns when the version is another one. */
  readonly changed: (version: number) => Effect.Effect<void>
}

export interface Signals {
  /** The signal of a job, or of all; kept while somebody holds it. */
  readonly get: (jobId?: JobId) => Effect.Effect<Signal, never, Scope.Scope>
  /** Events of these jobs have been committed. */
  readonly wake: (jobIds: Iterable<JobId>) => Effect.Effect<void>
}

/** A signal of one's own, and what wakes those who wait for it: all at once, however many they are. */
export const makeSignal = (): Signal & { readonly wake: Effect.Effect<void> } => {
  let version = 0
  let next = Deferred.unsafeMake<void>(FiberId.none)
  return {
    version: Effect.sync(() => version),
    changed: (seen) => Effect.suspend(() => (seen === version ? Deferred.await(next) : Effect.void)),
    wake: Effect.sync(() => {
      const waiting = next
      version += 1
      next = Deferred.unsafeMake(FiberId.none)
      Deferred.unsafeDone(waiting, Effect.void)
    })
  }
}

interface Entry {
  readonly signal: ReturnType<typeof makeSignal>
  holders: number
}

const all = "all"

export const make: Effect.Effect<Signals> = Effect.sync(() => {
  const entries = new Map<JobId | typeof all, Entry>()

  const acquire = (name: JobId | typeof all): Entry => {
    const entry = entries.get(name) ?? { signal: makeSignal(), holders: 0 }
    entry.holders += 1
    entries.set(name, entry)
    return entry
  }

  const release = (name: JobId | typeof all, entry: Entry): void => {
    entry.holders -= 1
    if (entry.holders === 0) entries.delete(name)
  }

  const wake = (name: JobId | typeof all) => entries.get(name)?.signal.wake ?? Effect.void

  return {
    get: (jobId) => {
      const name = jobId ?? all
      return Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => acquire(name)),
          (entry) => Effect.sync(() => release(name, entry))
        ),
        ({ signal }) => signal
      )
    },
    wake: (jobIds) =>
      Effect.zipRight(
        Effect.forEach(jobIds, wake, { discard: true }),
        Effect.suspend(() => wake(all))
      )
  }
})
