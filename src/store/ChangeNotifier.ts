/**
 * Wakes subscribers of the event log after commits. A reader takes the version, reads a page, then waits for the version to
 * change; a commit in between has already changed it, so no wake-up is lost.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import type { JobId } from "../domain/JobId.js"
import type { WaitsFor } from "../domain/Run.js"

export interface Notifier {
  /** Counts the commits since the first subscriber acquired the notifier. */
  readonly version: Effect.Effect<number>
  /** Returns once the version differs. */
  readonly changed: (version: number) => Effect.Effect<void>
}

export interface ChangeNotifier {
  /** The notifier of a job, or of all jobs; shared, and dropped with its last subscriber. */
  readonly get: (jobId?: JobId) => Effect.Effect<Notifier, never, Scope.Scope>
  /** Notifies the subscribers of these jobs, after the commit. */
  readonly wake: (jobIds: Iterable<JobId>) => Effect.Effect<void>
  /** Notifies of what waits of a kind. */
  readonly waiting: (kind: string) => Waiting<ReturnType<typeof makeNotifier>>
}

export interface Waiting<N extends Notifier = Notifier> {
  /** Of commits after which a run may wait for a permit. */
  readonly due: N
  /** Of commits after which a run may wait for an earlier time. */
  readonly times: N
}

/** A standalone notifier. `wake` resumes all waiting fibers through one deferred. */
export const makeNotifier = (): Notifier & { readonly wake: Effect.Effect<void>; readonly unsafeWake: () => void } => {
  let version = 0
  // Created on demand: most changes are of jobs without subscribers.
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

/** Notifies of a run that waits from now on for this; `any`: for a permit or for a time. */
export const wakeFor = (
  { due, times }: Waiting<ReturnType<typeof makeNotifier>>,
  waitsFor: WaitsFor | "any" | undefined
): Effect.Effect<void> => {
  switch (waitsFor) {
    case "permit":
      return due.wake
    case "time":
      return times.wake
    case "any":
      return Effect.zipRight(due.wake, times.wake)
    default:
      return Effect.void
  }
}

interface Entry {
  readonly notifier: ReturnType<typeof makeNotifier>
  subscribers: number
}

const all = "all"

export const make: Effect.Effect<ChangeNotifier> = Effect.sync(() => {
  const entries = new Map<JobId | typeof all, Entry>()
  const kinds = new Map<string, Waiting<ReturnType<typeof makeNotifier>>>()

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

  return {
    waiting: (kind) => {
      const notifiers = kinds.get(kind) ?? { due: makeNotifier(), times: makeNotifier() }
      kinds.set(kind, notifiers)
      return notifiers
    },
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
