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

interface Entry {
  holders: number
  version: number
  /** One for all who wait: a commit completes it once, however many they are. */
  next: Deferred.Deferred<void>
}

const all = "all"

export const make: Effect.Effect<Signals> = Effect.sync(() => {
  const entries = new Map<JobId | typeof all, Entry>()

  const unsafeWake = (name: JobId | typeof all): void => {
    const entry = entries.get(name)
    if (entry === undefined) return
    const { next } = entry
    entry.version += 1
    entry.next = Deferred.unsafeMake(FiberId.none)
    Deferred.unsafeDone(next, Effect.void)
  }

  const acquire = (name: JobId | typeof all): Entry => {
    const entry = entries.get(name) ?? { holders: 0, version: 0, next: Deferred.unsafeMake(FiberId.none) }
    entry.holders += 1
    entries.set(name, entry)
    return entry
  }

  const release = (name: JobId | typeof all, entry: Entry): void => {
    entry.holders -= 1
    if (entry.holders === 0) entries.delete(name)
  }

  return {
    get: (jobId) => {
      const name = jobId ?? all
      return Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => acquire(name)),
          (entry) => Effect.sync(() => release(name, entry))
        ),
        (entry) => ({
          version: Effect.sync(() => entry.version),
          changed: (version) => Effect.suspend(() => (entry.version === version ? Deferred.await(entry.next) : Effect.void))
        })
      )
    },
    wake: (jobIds) =>
      Effect.sync(() => {
        for (const jobId of jobIds) unsafeWake(jobId)
        unsafeWake(all)
      })
  }
})
