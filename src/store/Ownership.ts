/**
 * How a process becomes the owner of a kind. Whether an owner lives is asked of the kernel: it holds a lock on a file beside the
 * database, which the kernel takes back when the process ends, in whatever pid namespace. The record in the database only names
 * the owner. A database in memory belongs to this process, which knows its own owners.
 */
import { Effect, Exit, Option, Scope } from "effect"
import { createHash } from "node:crypto"
import { chmodSync, chownSync, statSync } from "node:fs"
import { AlreadyManaged, StoreError } from "../domain/errors.js"
import { closeOnFailure } from "./closeOnFailure.js"
import * as FileLock from "./FileLock.js"
import type { Owner, OwnerLock, OwnerStore } from "./OwnerStore.js"
import { KernelRef, type ProcessIdentity } from "../internal/ProcessIdentity.js"
import { RealClock } from "../internal/RealClock.js"

/** How long an owner may take to record itself after it has the lock, in milliseconds: it may be another process. */
const patience = 5_000
const pause = 20

interface Held {
  readonly lock: OwnerLock
  readonly scope: Scope.CloseableScope
  id: string
  process: ProcessIdentity
}

/** The locks of this process by path, and its owners of databases in memory by id. */
const held = new Map<string, Held>()
const inMemory = new Set<string>()

/** A kind may be any text, and a file name may not. */
const lockPath = (database: string, kind: string): string => {
  const isName = /^[a-z0-9][a-z0-9-]{0,62}$/.test(kind)
  return `${database}-${isName ? kind : `_${createHash("sha256").update(kind).digest("hex").slice(0, 32)}`}.lock`
}

/** Whoever may write the database may lock it, also after root has. A file system without modes keeps its own. */
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
    let mine: Held | undefined
    if (taken._tag === "Right") {
      mine = { lock: { path, file: taken.right.file }, scope, id, process: kernel.self }
      held.set(path, mine)
      yield* shareWith(database, path)
    } else {
      // Only tests that simulate a crash in one process see an owner of this process that is dead.
      mine = held.get(path)
      if (mine === undefined || (yield* kernel.isAlive(mine.process))) return yield* taken.left
      mine.id = id
      mine.process = kernel.self
    }
    const lock = mine
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        if (lock.id !== id) return Effect.void
        if (held.get(path) === lock) held.delete(path)
        return Scope.close(lock.scope, Exit.void)
      })
    )
    return lock.lock
  }).pipe(Effect.uninterruptible)

const remember = (id: string) =>
  Effect.acquireRelease(
    Effect.sync(() => void inMemory.add(id)),
    () => Effect.sync(() => void inMemory.delete(id))
  )

/** Whether the owner on record is one beside whoever has the lock now. */
const isOwner = (found: Owner, lock: OwnerLock | undefined) =>
  Effect.flatMap(KernelRef, ({ isAlive, self }) => {
    if (lock === undefined) return inMemory.has(found.id) ? isAlive(found.process) : Effect.succeed(false)
    if (found.lock === undefined) return isAlive(found.process)
    // Its lock file was deleted while it held the lock. A record in a copy of the database names another path.
    const hasLost = found.lock.path === lock.path && found.lock.file !== lock.file
    return hasLost && found.process.pidNamespace === self.pidNamespace ? isAlive(found.process) : Effect.succeed(false)
  })

const already = ({ kind, process }: Owner) =>
  Effect.flatMap(
    KernelRef,
    ({ self }) =>
      new AlreadyManaged({
        kind,
        pid: process.pid,
        ...(process.pidNamespace === self.pidNamespace ? {} : { pidNamespace: process.pidNamespace })
      })
  )

export const acquire =
  (owners: Omit<OwnerStore, "acquire">, database: string | undefined): OwnerStore["acquire"] =>
  (owner) => {
    const { kind } = owner

    const record = (own: Owner): Effect.Effect<void, AlreadyManaged | StoreError> =>
      Effect.gen(function* () {
        const found = yield* owners.get(kind)
        if (Option.isSome(found) && (yield* isOwner(found.value, own.lock))) return yield* already(found.value)
        // A process of version 0.1.0 may have been faster: it knows nothing of the lock.
        if (!(yield* owners.claim(own, found))) yield* record(own)
      })

    const attempt = closeOnFailure(
      Effect.gen(function* () {
        const { self } = yield* KernelRef
        const lock = database === undefined ? undefined : yield* lockFile(database, owner)
        const own = { ...owner, process: self, lock }
        yield* remember(owner.id)
        yield* Effect.addFinalizer(() => Effect.ignoreLogged(owners.release(own)))
        yield* record(own)
      })
    )

    const until = (deadline: number): ReturnType<OwnerStore["acquire"]> =>
      Effect.catchTag(attempt, "LockHeld", ({ path }) =>
        Effect.gen(function* () {
          const { isAlive } = yield* KernelRef
          const { now, sleep } = yield* RealClock
          const found = yield* owners.get(kind)
          if (Option.isSome(found) && (yield* isAlive(found.value.process))) return yield* already(found.value)
          if ((yield* now) > deadline) {
            const cause = new Error(`another process holds ${path} and has not recorded which one it is`)
            return yield* new StoreError({ operation: "own the jobs of a kind", reason: "busy", cause })
          }
          yield* sleep(pause)
          return yield* until(deadline)
        })
      )

    return Effect.flatMap(RealClock, ({ now }) => Effect.flatMap(now, (now) => until(now + patience)))
  }
