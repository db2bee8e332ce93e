/**
 * There is one manager in a home: it holds the kernel's lock on it, and leaves a note that says who it is, for those who come
 * too late. The lock decides, never the note: one that a crash has left behind is seen through and written over.
 */
import { Context, DateTime, Effect, Layer, Option, type Scope } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as FileLock from "../store/FileLock.js"
import { KernelRef } from "../internal/ProcessIdentity.js"
import { RealClock } from "../internal/RealClock.js"
import { type Address, find as holder, LockOwner, HomeBusy, leave, note, remove } from "./LockOwner.js"
import { Home } from "./Home.js"

export { find as holder, LockOwner, HomeBusy, note } from "./LockOwner.js"

export interface Service {
  readonly holder: LockOwner
  /** Whether the lock still keeps others out; it does not when somebody has deleted its file. */
  readonly isHeld: Effect.Effect<boolean>
  /** Tells everybody where the holder listens, and with it that it is ready. */
  readonly announce: (addresses: ReadonlyArray<Address>) => Effect.Effect<LockOwner>
  /** Tells everybody that the holder is about to end. */
  readonly withdraw: Effect.Effect<void>
  /** Leaves the note once more if somebody has deleted it; tells whether that was so. */
  readonly renew: Effect.Effect<boolean>
}

export class HomeLock extends Context.Tag("charlotte/HomeLock")<HomeLock, Service>() {}

/** What is said when it does not keep others out any more. */
export const lost = (file: string): string =>
  `${file} was deleted, so another process could take the home: restart the daemon`

export interface Options {
  readonly what: LockOwner["what"]
  /** Of Charlotte. */
  readonly version: string
}

/** How long a holder may take to leave its note, in milliseconds of real time: it is another process. */
const patience = 5_000
const pause = 20

/** Takes the lock, or says who has it. */
const take: Effect.Effect<FileLock.FileLock, HomeBusy | StoreError, Home | Scope.Scope> = Effect.gen(function* () {
  const home = yield* Home
  const { now, sleep } = yield* RealClock
  const deadline = (yield* now) + patience
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

/** Where the file of a lock was deleted, another process can have the new one; the note still tells of the first. */
const refuseSecond = ({ file }: FileLock.FileLock) =>
  Effect.gen(function* () {
    const { directory } = yield* Home
    const { self } = yield* KernelRef
    // Of another namespace it is not known whether it lives, and the lock has just said that it does not hold this file.
    const other = Option.filter(
      yield* holder,
      (other) => other.file !== file && other.process.pidNamespace === self.pidNamespace
    )
    if (Option.isSome(other)) return yield* busy(directory, other)
  })

export const make = (options: Options): Effect.Effect<Service, HomeBusy | StoreError, Home | Scope.Scope> =>
  Effect.gen(function* () {
    const lock = yield* take
    yield* refuseSecond(lock)
    const { self } = yield* KernelRef
    const holder = new LockOwner({ ...options, since: yield* DateTime.now, process: self, file: lock.file })
    yield* Effect.acquireRelease(leave(holder), () => Effect.whenEffect(remove, lock.isHeld))
    const context = yield* Effect.context<Home>()
    const ifHeld = Effect.whenEffect(lock.isHeld)
    let told = holder
    const tell = (more: Pick<LockOwner, "addresses" | "ending">) =>
      Effect.suspend(() => {
        told = new LockOwner({ ...holder, ...more })
        return Effect.as(ifHeld(leave(told)), told)
      }).pipe(Effect.provide(context))
    const renew = Effect.flatMap(note, (found) =>
      Option.isSome(found) ? Effect.succeedNone : ifHeld(Effect.suspend(() => leave(told)))
    )
    return {
      holder,
      isHeld: lock.isHeld,
      announce: (addresses) => tell({ addresses }),
      withdraw: Effect.asVoid(tell({ ending: true })),
      renew: Effect.map(renew, Option.isSome).pipe(Effect.provide(context))
    }
  })

/** Holds the home for as long as the layer lives. */
export const layer = (options: Options): Layer.Layer<HomeLock, HomeBusy | StoreError, Home> =>
  Layer.scoped(HomeLock, make(options))
