/**
 * Acquires the ownership of a kind. An owner is alive while it holds a file lock beside the database, which the kernel
 * releases when the process ends, in any pid namespace; the record in the database only names the owner. The owners of an
 * in-memory database are tracked in this process.
 */
import { Effect, Exit, Option, Scope } from "effect"
import { createHash } from "node:crypto"
import { chmodSync, chownSync, statSync } from "node:fs"
import { type AlreadyManaged, StoreError } from "../../domain/errors.js"
import { closeOnFailure } from "../../internal/closeOnFailure.js"
import * as FileLock from "./FileLock.js"
import { type Owner, type OwnerLock, type OwnerStore } from "../port/RunStoreService.js"
import { alreadyManaged } from "../rules/alreadyManaged.js"
import { KernelRef, type ProcessIdentity } from "../../internal/ProcessIdentity.js"
import { RealClock } from "../../internal/RealClock.js"

/** How long a new owner, possibly in another process, may take from its lock to its record, in milliseconds. */
const recordTimeout = 5_000
const retryPause = 20

interface Held {
  readonly lock: OwnerLock
  readonly scope: Scope.CloseableScope
  id: string
  process: ProcessIdentity
}

/** The file locks of this process by path, and its owners of in-memory databases by id. */
const heldLocks = new Map<string, Held>()
const inMemory = new Set<string>()

/** Hashes a kind that is not a valid file name. */
const lockPath = (database: string, kind: string): string => {
  const isName = /^[a-z0-9][a-z0-9-]{0,62}$/.test(kind)
  return `${database}-${isName ? kind : `_${createHash("sha256").update(kind).digest("hex").slice(0, 32)}`}.lock`
}

/**
 * Gives the lock file the owner and mode of the database, so that all users of the database can lock it, even after root
 * created it. Best effort: some file systems have no modes.
 */
const shareWith = (database: string, path: string) =>
  Effect.ignore(
    Effect.try(() => {
      const { gid, mode, uid } = statSync(database)
      chmodSync(path, mode & 0o777)
      if (process.geteuid?.() === 0) chownSync(path, uid, gid)
    })
  )

const lockFile = (database: string, { id, kind }: Pick<Owner, "id" | "kind">) =>
  Effect.gen(function* () {
    const path = lockPath(database, kind)
    const kernel = yield* KernelRef
    const scope = yield* Scope.make()
    const taken = yield* Effect.either(Scope.extend(FileLock.acquire(path), scope))
    let current: Held | undefined
    if (taken._tag === "Right") {
      current = { lock: { path, file: taken.right.file }, scope, id, process: kernel.self }
      heldLocks.set(path, current)
      yield* shareWith(database, path)
    } else {
      // A dead owner within this process exists only in tests that simulate a crash.
      current = heldLocks.get(path)
      if (current === undefined || (yield* kernel.isAlive(current.process))) return yield* taken.left
      current.id = id
      current.process = kernel.self
    }
    const lock = current
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        if (lock.id !== id) return Effect.void
        if (heldLocks.get(path) === lock) heldLocks.delete(path)
        return Scope.close(lock.scope, Exit.void)
      })
    )
    return lock.lock
  }).pipe(Effect.uninterruptible)

/** Takes the lock of a subscriber, unless another instance has it. */
export const lockSubscriber = (database: string) => {
  // An instance that stands by tries every second.
  let hasLocks = false
  return (name: string): Effect.Effect<boolean, StoreError, Scope.Scope> =>
    Effect.suspend(() => {
      const path = `${database}-subscriber.${name}.lock`
      return FileLock.acquire(path, { hasLocks }).pipe(
        Effect.zipRight(shareWith(database, path)),
        Effect.as(true),
        Effect.catchTag("LockHeld", () =>
          Effect.sync(() => {
            hasLocks = true
            return false
          })
        )
      )
    })
}

const trackInMemory = (id: string) =>
  Effect.acquireRelease(
    Effect.sync(() => void inMemory.add(id)),
    () => Effect.sync(() => void inMemory.delete(id))
  )

/** Whether the recorded owner is alive although this process holds the lock. */
const isOwner = (found: Owner, lock: OwnerLock | undefined) =>
  Effect.flatMap(KernelRef, ({ isAlive, self }) => {
    if (lock === undefined) return inMemory.has(found.id) ? isAlive(found.process) : Effect.succeed(false)
    if (found.lock === undefined) return isAlive(found.process)
    // The owner's lock file was deleted while it held the lock. The record in a copied database names another path.
    const lostLockFile = found.lock.path === lock.path && found.lock.file !== lock.file
    return lostLockFile && found.process.pidNamespace === self.pidNamespace
      ? isAlive(found.process)
      : Effect.succeed(false)
  })

export const acquire =
  (owners: Omit<OwnerStore, "acquire">, database: string | undefined): OwnerStore["acquire"] =>
  (owner) => {
    const { kind } = owner

    const record = (own: Owner): Effect.Effect<void, AlreadyManaged | StoreError> =>
      Effect.gen(function* () {
        const found = yield* owners.get(kind)
        if (Option.isSome(found) && (yield* isOwner(found.value, own.lock))) return yield* alreadyManaged(found.value)
        // A process of version 0.1.0 may have claimed the kind meanwhile, since it does not use the lock.
        if (!(yield* owners.claim(own, found))) yield* record(own)
      })

    const attempt = closeOnFailure(
      Effect.gen(function* () {
        const { self } = yield* KernelRef
        const lock = database === undefined ? undefined : yield* lockFile(database, owner)
        const own = { ...owner, process: self, lock }
        yield* trackInMemory(owner.id)
        yield* Effect.addFinalizer(() => Effect.ignoreLogged(owners.release(own)))
        yield* record(own)
        return { lost: Effect.never }
      })
    )

    const retryUntil = (deadline: number): ReturnType<OwnerStore["acquire"]> =>
      Effect.catchTag(attempt, "LockHeld", ({ path }) =>
        Effect.gen(function* () {
          const { isAlive } = yield* KernelRef
          const { now, sleep } = yield* RealClock
          const found = yield* owners.get(kind)
          if (Option.isSome(found) && (yield* isAlive(found.value.process))) return yield* alreadyManaged(found.value)
          if ((yield* now) > deadline) {
            const cause = new Error(
              `${path} is locked by a process that has not recorded itself as the owner; wait until it exits, or stop it, and try again`
            )
            return yield* new StoreError({ operation: "acquire ownership", reason: "busy", cause })
          }
          yield* sleep(retryPause)
          return yield* retryUntil(deadline)
        })
      )

    return Effect.flatMap(RealClock, ({ now }) => Effect.flatMap(now, (now) => retryUntil(now + recordTimeout)))
  }
