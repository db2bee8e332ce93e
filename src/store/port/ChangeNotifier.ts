/**
 * Wakes subscribers of the event log after commits. A reader takes the version, reads a page, then waits for the version to
 * change; a commit in between has already changed it, so no wake-up is lost.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { isReady } from "../../domain/Run.js"

export interface Notifier {
  /** Counts the commits since the first subscriber acquired the notifier. */
  readonly version: Effect.Effect<number>
  /** Returns once the version differs from this one. */
  readonly changed: (version: number) => Effect.Effect<void>
}

export interface ChangeNotifier {
  /** The notifier of a job, or of all jobs; shared, and dropped with its last subscriber. */
  readonly get: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>
  /** Notifies the subscribers of these jobs, after the commit. */
  readonly wake: (jobIds: Iterable<JobId>) => Effect.Effect<void>
  /** The notifiers of the waiting runs of a kind. */
  readonly waiting: (kind: string) => Waiting
  /** The notifier of runs of a kind that transactions of applications have committed. */
  readonly committed: (kind: string) => ReturnType<typeof makeNotifier>
  /** Notifies all subscribers, if it is unknown what has changed. */
  readonly wakeAll: Effect.Effect<void>
  /** Counts the prunings and removals that this process knows of. */
  readonly prunings: Effect.Effect<number>
  /** Counts one, of this or another process, after the commit. */
  readonly pruned: Effect.Effect<void>
  /** Notifies of newly waiting runs, after the commit. */
  readonly wakeWaiting: (waits: Iterable<NewlyWaiting>) => Effect.Effect<void>
}

export interface Waiting {
  /** Changes with commits after which a run may wait for a permit. */
  readonly due: Notifier
  /** Changes with commits after which a run may wait for an earlier time. */
  readonly times: Notifier
}

/** The kind of a newly waiting run, and what it waits for. */
export interface NewlyWaiting {
  readonly kind: string
  readonly waitsFor: string | undefined
}

/** A standalone notifier. `wake` resumes all waiting fibers through one deferred. */
export const makeNotifier = (): Notifier & { readonly wake: Effect.Effect<void>; readonly unsafeWake: () => void } => {
  let version = 0
  // The deferred is created on demand: most changes are of jobs without subscribers.
  let next: Deferred.Deferred<void> | undefined
  const unsafeWake = () => {
    const waiters = next
    version += 1
    next = undefined
    if (waiters !== undefined) Deferred.unsafeDone(waiters, Effect.void)
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

const makeWaiting = () => ({ due: makeNotifier(), times: makeNotifier() })

interface Entry {
  readonly notifier: ReturnType<typeof makeNotifier>
  subscribers: number
}

const all = "all"

export const make: Effect.Effect<ChangeNotifier> = Effect.sync(() => {
  const entries = new Map<JobId | typeof all, Entry>()
  const kinds = new Map<string, ReturnType<typeof makeWaiting>>()

  const acquire = (key: JobId | typeof all): Entry => {
    const entry = entries.get(key) ?? { notifier: makeNotifier(), subscribers: 0 }
    entry.subscribers += 1
    entries.set(key, entry)
    return entry
  }

  const release = (key: JobId | typeof all, entry: Entry): void => {
    entry.subscribers -= 1
    if (entry.subscribers === 0) entries.delete(key)
  }

  const waiting = (kind: string) => {
    const notifiers = kinds.get(kind) ?? makeWaiting()
    kinds.set(kind, notifiers)
    return notifiers
  }

  const inserted = new Map<string, ReturnType<typeof makeNotifier>>()
  const committed = (kind: string) => {
    const notifier = inserted.get(kind) ?? makeNotifier()
    inserted.set(kind, notifier)
    return notifier
  }

  let prunings = 0

  return {
    waiting,
    committed,
    prunings: Effect.sync(() => prunings),
    pruned: Effect.sync(() => void (prunings += 1)),
    wakeAll: Effect.sync(() => {
      for (const { notifier } of entries.values()) notifier.unsafeWake()
    }),
    wakeWaiting: (waits) =>
      Effect.sync(() => {
        for (const { kind, waitsFor } of waits) {
          if (isReady(waitsFor)) waiting(kind).due.unsafeWake()
          if (waitsFor === "time") waiting(kind).times.unsafeWake()
        }
      }),
    get: (jobId) => {
      const key = jobId ?? all
      return Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => acquire(key)),
          (entry) => Effect.sync(() => release(key, entry))
        ),
        ({ notifier }) => notifier
      )
    },
    wake: (jobIds) =>
      Effect.sync(() => {
        for (const jobId of jobIds) entries.get(jobId)?.notifier.unsafeWake()
        entries.get(all)?.notifier.unsafeWake()
      })
  }
})
