/**
 * An exclusive lock between processes that the kernel releases when the process ends, for any reason. Nothing has to be
 * cleaned up, and child processes do not inherit it.
 *
 * It is SQLite's write lock on an empty database, since Node has no API for file locks. Two consequences:
 *
 * - The kernel releases a POSIX lock when the process closes any descriptor of the file. SQLite defers its closes;
 *   nothing else in the process may open it.
 * - The lock belongs to the inode, not the name. If the file is deleted, the next process creates and locks a new one;
 *   `isHeld` detects that.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "./SqliteClient.js"
import { Effect, Exit, Schema, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { rmSync, statSync } from "node:fs"
import { StoreError } from "../../domain/errors.js"
import * as rawQuery from "../sql/rawQuery.js"
import { isLockFailure, orStoreError } from "../sql/mapSqlError.js"

/** The lock is held by another process, or elsewhere in this one. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  path: Schema.String
}) {
  override get message() {
    return `${this.path} is locked by another process; wait until that process exits`
  }
}

export interface FileLock {
  /** Identifies the locked file among all files that ever have this name, while the lock is held. */
  readonly file: string
  /** Whether the name still refers to the locked file. */
  readonly isHeld: Effect.Effect<boolean>
}

/**
 * Acquires the lock or fails, without waiting. It is released with the scope; the file, created when missing, remains. A file system
 * that is known to have locks is not probed for them again.
 */
export const acquire = (
  path: string,
  { hasLocks = false }: { readonly hasLocks?: boolean } = {}
): Effect.Effect<FileLock, LockHeld | StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      // The file is closed at once if it cannot be locked.
      const file = yield* Effect.onError(Scope.extend(lock(path), scope), (cause) =>
        Scope.close(scope, Exit.failCause(cause))
      )
      return { scope, file }
    }).pipe(Effect.catchAll((error) => explainFailure(path, error, hasLocks))),
    ({ scope }) => Scope.close(scope, Exit.void)
  ).pipe(Effect.map(({ file }) => ({ file, isHeld: Effect.sync(() => identity(path) === file) })))

const lock = (path: string): Effect.Effect<string, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const execute = yield* rawQuery.of(yield* SqliteClient.make({ filename: path, disableWAL: true }))
    // The driver blocks the event loop while it waits.
    yield* execute("PRAGMA busy_timeout = 0")
    // Nothing is ever committed, so no journal file is needed.
    yield* execute("PRAGMA journal_mode = MEMORY")
    // BEGIN EXCLUSIVE acquires the lock in steps, so of several contenders all might fail.
    yield* execute("BEGIN IMMEDIATE")
    // BEGIN IMMEDIATE silently takes only a shared lock on a file without write permission, so this writes something; it is never
    // committed.
    yield* execute("PRAGMA user_version = 1")
    const file = identity(path)
    if (file === undefined) {
      const cause = new Error(`${path} was deleted while it was being locked; do not delete lock files, and try again`)
      return yield* new StoreError({ operation: `lock ${path}`, reason: "replaced", cause })
    }
    return file
  }).pipe(Effect.provide(Reactivity.layer), orStoreError(`lock ${path}`))

/** Maps a failed acquisition to its cause. */
const explainFailure = (
  path: string,
  error: StoreError,
  hasLocks: boolean
): Effect.Effect<never, LockHeld | StoreError> => {
  if (error.reason === "busy") {
    return Effect.zipRight(hasLocks ? Effect.void : refuseWithoutLocks(path), new LockHeld({ path }))
  }
  return isLockFailure(error) ? unsupported(path) : error
}

/**
 * A file system without a lock manager usually reports every lock as taken, even the lock of a new file that no other process
 * can know.
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
    cause: new Error(
      `${path} is on a file system without locks; move it to a local file system, or to one that supports file locks`
    )
  })

/** An inode number is not reused while a process has the file open. */
const identity = (path: string): string | undefined => {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.ino}`
}
