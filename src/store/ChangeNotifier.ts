/**
 * Wake-ups for whoever reads the event log. A reader takes the version, reads a page, and then waits for another version:
 * what is committed in between has already changed it, so no wake-up is lost.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import type { JobId } from "../domain/JobId.js"

export interface Notifier {
  /** Counts the commits since somebody began to look. */
  readonly version: Effect.Effect<number>
  /** Returns when the version is another one. */
  readonly changed: (version: number) => Effect.Effect<void>
}

export interface ChangeNotifier {
  /** The signal of a job, or of all; kept while somebody holds it. */
  readonly get: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>
  /** Events of these jobs have been committed. */
  readonly wake: (jobIds: Iterable<JobId>) => Effect.Effect<void>
}

/** A signal of one's own, and what wakes those who wait for it: all at once, however many they are. */
export const makeNotifier = (): Notifier & { readonly wake: Effect.Effect<void>; readonly unsafeWake: () => void } => {
  let version = 0
  // There is none while nobody waits: most changes are of jobs that nobody watches.
  let next: Deferred.Deferred<void> | undefined
  const unsafeWake = () => {
    const waiting = next
    version += 1
    next = undefined
    if (waiting !== undefined) Deferred.unsafeDone(waiting, Effect.void)
  }
  return {
    version: Effect.sync(() => version),
    changed: (seen) =>
      Effect.suspend(() =>
        seen === version ? Deferred.await((next ??= Deferred.unsafeMake(FiberId.none))) : Effect.void
      ),
    wake: Effect.sync(unsafeWake),
    unsafeWake
  }
}

interface Entry {
  readonly signal: ReturnType<typeof makeNotifier>
  holders: number
}

const all = "all"

export const make: Effect.Effect<ChangeNotifier> = Effect.sync(() => {
  const entries = new Map<JobId | typeof all, Entry>()

  const acquire = (name: JobId | typeof all): Entry => {
    const entry = entries.get(name) ?? { signal: makeNotifier(), holders: 0 }
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
        ({ signal }) => signal
      )
    },
    wake: (jobIds) =>
      Effect.sync(() => {
        for (const jobId of jobIds) entries.get(jobId)?.signal.unsafeWake()
        entries.get(all)?.signal.unsafeWake()
      })
  }
})
