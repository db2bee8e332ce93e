/**
 * A lock that the kernel gives to one process and takes back when that process is gone, however it went. Nothing has to be
 * cleaned up, and a process that the holder has started does not keep it.
 *
 * It is SQLite's own lock on a database that stays empty: Node has no other way to the kernel's locks. Two things to know:
 *
 * - The kernel gives such a lock up when the process closes any descriptor of that file. SQLite sees to that for its own;
 *   nothing else in the process may open it.
 * - The lock is on the file, not on its name. Where somebody deletes the file, the next process makes a new one, and locks
 *   that: `isHeld` tells the first one so.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "./SqliteClient.js"
import { Effect, Exit, Schema, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { rmSync, statSync } from "node:fs"
import { StoreError } from "../domain/errors.js"
import * as rawQuery from "./sql/rawQuery.js"
import { isLockFailure, orStoreError } from "./sql/mapSqlError.js"

/** Another holder has it: another process, or another part of this one. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  path: Schema.String
}) {
  override get message() {
    return `${this.path} is locked by another process; wait until it has ended`
  }
}

export interface FileLock {
  /** Tells the file apart from every other that has, or will have, its name; as long as the lock is held. */
  readonly file: string
  /** Whether the file that is locked is still the one of that name. */
  readonly isHeld: Effect.Effect<boolean>
}

/** Takes the lock at once, or fails at once. It is held until the scope closes; the file, made when missing, stays. */
export const acquire = (path: string): Effect.Effect<FileLock, LockHeld | StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      // What could not be locked is closed at once.
      const file = yield* Effect.onError(Scope.extend(lock(path), scope), (cause) =>
        Scope.close(scope, Exit.failCause(cause))
      )
      return { scope, file }
    }).pipe(Effect.catchAll((error) => refused(path, error))),
    ({ scope }) => Scope.close(scope, Exit.void)
  ).pipe(Effect.map(({ file }) => ({ file, isHeld: Effect.sync(() => identity(path) === file) })))

const lock = (path: string): Effect.Effect<string, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const ask = yield* rawQuery.of(yield* SqliteClient.make({ filename: path, disableWAL: true }))
    // The driver would wait in a frozen process.
    yield* ask("PRAGMA busy_timeout = 0")
    // Nothing is ever committed, so there is nothing to be undone, and no file for that.
    yield* ask("PRAGMA journal_mode = MEMORY")
    // Not EXCLUSIVE: that is taken in steps, and of those who begin at once all might fail.
    yield* ask("BEGIN IMMEDIATE")
    // A file that cannot be written is only read then, without a word, and everybody can have that. So this is a write; it is
    // not committed.
    yield* ask("PRAGMA user_version = 1")
    const file = identity(path)
    if (file === undefined) {
      const cause = new Error(`${path} was deleted while it was opened; leave it where it is`)
      return yield* new StoreError({ operation: `lock ${path}`, reason: "replaced", cause })
    }
    return file
  }).pipe(Effect.provide(Reactivity.layer), orStoreError(`lock ${path}`))

/** What a lock that could not be had means. */
const refused = (path: string, error: StoreError): Effect.Effect<never, LockHeld | StoreError> => {
  if (error.reason === "busy") return Effect.zipRight(refuseWithoutLocks(path), new LockHeld({ path }))
  return isLockFailure(error) ? unsupported(path) : error
}

/**
 * Where the file system has no lock manager, SQLite mostly says that the lock is taken. But the lock of a file that no other
 * process knows is free.
 */
export const refuseWithoutLocks = (path: string): Effect.Effect<void, StoreError> => {
  const probe = `${path}.${randomUUID()}`
  return Effect.scoped(lock(probe)).pipe(
    Effect.ensuring(Effect.sync(() => rmSync(probe, { force: true }))),
    Effect.catchAll((error) => (error.reason === "busy" || isLockFailure(error) ? unsupported(path) : Effect.void))
  )
}

const unsupported = (path: string) =>
  new StoreError({
    operation: `lock ${path}`,
    reason: "other",
    cause: new Error(`${path} is on a file system without locks; keep it on a local one, or on one that has file locks`)
  })

/** An inode is not used again while somebody has it open. */
const identity = (path: string): string | undefined => {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.ino}`
}
