/**
 * One manager per home: it holds a kernel lock, and writes a note that identifies it to later processes. The lock is authoritative,
 * never the note: a stale one, left by a crash, is recognised and overwritten.
 */
import { Context, Effect, Layer, Option, type Scope } from "effect"
import { statSync } from "node:fs"
import { basename } from "node:path"
import { now } from "../../internal/now.js"
import type { StoreError } from "../../domain/errors.js"
import * as FileLock from "../../store/sqlite/FileLock.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import { RealClock } from "../../internal/RealClock.js"
import { type Address, find as holder, LockOwner, HomeBusy, leave, note, remove, write } from "./LockOwner.js"
import { Home, HomeUnusable } from "./Home.js"

export { find as holder, LockOwner, HomeBusy, note } from "./LockOwner.js"

export interface Service {
  readonly holder: LockOwner
  /** Whether the lock still excludes others: not if its file was deleted. */
  readonly isHeld: Effect.Effect<boolean>
  /** Publishes the addresses, which also means that the holder is ready. */
  readonly announce: (addresses: ReadonlyArray<Address>) => Effect.Effect<LockOwner>
  /** Publishes where the page is served, or why it is not. */
  readonly announcePage: (page: NonNullable<LockOwner["page"]>) => Effect.Effect<void>
  /** Publishes that the holder is shutting down. */
  readonly withdraw: Effect.Effect<void>
  /** Writes the note again if it was deleted. */
  readonly renew: Effect.Effect<"unchanged" | "restored" | "unwritable">
}

export class HomeLock extends Context.Tag("charlotte/HomeLock")<HomeLock, Service>() {}

/** The message for a lock that no longer excludes others. */
export const lost = (file: string): string =>
  `${file} was deleted, so another process could take the home: restart the daemon`

export interface Options extends Pick<LockOwner, "database" | "node" | "port"> {
  readonly what: LockOwner["what"]
  /** The version of Charlotte. */
  readonly version: string
}

/** How long a holder may take to write its note, in milliseconds of real time: it is another process. */
const lockTimeout = 5_000
const pause = 20

/** Acquires the lock, or fails with its holder. */
const take: Effect.Effect<FileLock.FileLock, HomeBusy | StoreError, Home | Scope.Scope> = Effect.gen(function* () {
  const home = yield* Home
  const { now, sleep } = yield* RealClock
  const deadline = (yield* now) + lockTimeout
  const attempt: typeof take = Effect.catchTag(FileLock.acquire(home.lock), "LockHeld", () =>
    Effect.gen(function* () {
      const named = yield* holder
      if (Option.isSome(named) || (yield* now) > deadline) return yield* busy(home.directory, named)
      yield* sleep(pause)
      return yield* attempt
    })
  )
  return yield* attempt
})

const busy = (directory: string, holder: Option.Option<LockOwner>) =>
  new HomeBusy({ directory, holder: Option.getOrUndefined(holder) })

/** If the lock file was deleted, a second process can lock the new one; the note still names the first. */
const refuseSecond = ({ file }: FileLock.FileLock) =>
  Effect.gen(function* () {
    const { directory } = yield* Home
    const { self } = yield* KernelRef
    // Whether a process of another pid namespace lives is unknown; the lock has just shown that it does not hold this file.
    const other = Option.filter(
      yield* holder,
      (other) => other.file !== file && other.process.pidNamespace === self.pidNamespace
    )
    if (Option.isSome(other)) return yield* busy(directory, other)
  })

/** Without the note, no client would find the holder. */
const refuseDirectory = Effect.gen(function* () {
  const home = yield* Home
  if (statSync(home.holder, { throwIfNoEntry: false })?.isDirectory() !== true) return
  const reason = `cannot be used: its ${basename(home.holder)} is a directory; move that away`
  return yield* new HomeUnusable({ directory: home.directory, reason })
})

export const make = (
  options: Options
): Effect.Effect<Service, HomeBusy | HomeUnusable | StoreError, Home | Scope.Scope> =>
  Effect.gen(function* () {
    const lock = yield* take
    yield* refuseSecond(lock)
    yield* refuseDirectory
    const { self } = yield* KernelRef
    const holder = new LockOwner({ ...options, since: yield* now, process: self, file: lock.file })
    yield* Effect.acquireRelease(leave(holder), () => Effect.whenEffect(remove, lock.isHeld))
    const context = yield* Effect.context<Home>()
    const ifHeld = Effect.whenEffect(lock.isHeld)
    let published = holder
    let page: LockOwner["page"]
    const publish = (more: Pick<LockOwner, "addresses" | "ending">) =>
      Effect.suspend(() => {
        published = new LockOwner({ ...holder, ...more, ...(page && { page }) })
        return Effect.as(ifHeld(leave(published)), published)
      }).pipe(Effect.provide(context))
    const renew = Effect.gen(function* () {
      if (Option.isSome(yield* note) || !(yield* lock.isHeld)) return "unchanged"
      return (yield* Effect.isSuccess(write(published))) ? "restored" : "unwritable"
    })
    return {
      holder,
      isHeld: lock.isHeld,
      announce: (addresses) => publish({ addresses }),
      announcePage: (next) =>
        Effect.suspend(() => {
          page = next
          const { addresses } = published
          // If the addresses are not published yet, it will be published with them.
          return addresses === undefined ? Effect.void : Effect.asVoid(publish({ addresses }))
        }),
      withdraw: Effect.asVoid(publish({ ending: true })),
      renew: Effect.provide(renew, context)
    }
  })

/** Holds the home for as long as the layer lives. */
export const layer = (options: Options): Layer.Layer<HomeLock, HomeBusy | HomeUnusable | StoreError, Home> =>
  Layer.scoped(HomeLock, make(options))
