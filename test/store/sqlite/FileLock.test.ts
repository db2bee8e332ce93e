/**
 * File locks, contended by this process and others.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { dirname } from "node:path"
import * as FileLock from "../../../src/store/sqlite/FileLock.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import * as Contender from "../../daemon/Contender.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const path = TemporaryDirectory.file("lock")

const contender = Effect.flatMap(Contender.program, Contender.start)

const refused = (path: string) => Effect.flip(Effect.scoped(FileLock.acquire(path)))

const become = (uid: number) => Effect.sync(() => process.seteuid?.(uid))

/**
 * Runs the effect as a user without root's privileges, even if root runs the tests. What it uses must be accessible to all
 * users.
 */
const asNobody = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  process.geteuid?.() === 0
    ? Effect.acquireUseRelease(
        become(65_534),
        () => effect,
        () => become(0)
      )
    : effect

/** The errors of file systems without locks; the C library is replaced in the processes that try to lock. */
const withoutLocks = `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <errno.h>
  #include <fcntl.h>
  #include <stdarg.h>
  static int refuse(const char *name, int fd, int command, void *argument) {
    if (command == F_SETLK || command == F_SETLKW) { errno = REASON; return -1; }
    return ((int (*)(int, int, ...)) dlsym(RTLD_NEXT, name))(fd, command, argument);
  }
  #define REPLACE(name) int name(int fd, int command, ...) { va_list list; va_start(list, command); \\
    void *argument = va_arg(list, void *); va_end(list); return refuse(#name, fd, command, argument); }
  REPLACE(fcntl)
  REPLACE(fcntl64)
`

const compile = (directory: string, reason: string) => {
  const library = `${directory}/${reason}.so`
  const args = ["-shared", "-fPIC", `-DREASON=${reason}`, "-x", "c", "-", "-o", library, "-ldl"]
  return spawnSync("cc", args, { input: withoutLocks, stdio: ["pipe", "ignore", "ignore"] }).status === 0
    ? library
    : undefined
}

const canReplace = process.platform === "linux" && spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0

describe("FileLock", () => {
  it.scoped("holds the lock until the scope closes, and leaves an empty file", () =>
    Effect.gen(function* () {
      const file = yield* path
      yield* Effect.scoped(
        Effect.gen(function* () {
          const lock = yield* FileLock.acquire(file)
          expect(yield* lock.isHeld).toBe(true)
          expect(readdirSync(dirname(file))).toEqual(["lock"])
          const error = yield* refused(file)
          expect(error).toMatchObject({ _tag: "LockHeld", path: file })
          expect(error.message).toContain(file)
        })
      )
      expect(readdirSync(dirname(file))).toEqual(["lock"])
      expect(statSync(file).size).toBe(0)
      yield* Effect.scoped(FileLock.acquire(file))
    })
  )

  it.scopedLive("excludes other processes, and survives a second attempt in the same process", () =>
    Effect.gen(function* () {
      const file = yield* path
      const other = yield* contender
      const scope = yield* Scope.make()
      yield* Scope.extend(FileLock.acquire(file), scope)
      yield* refused(file)
      expect(yield* other.ask(`file ${file}`)).toMatchObject({ tag: "lost", error: "LockHeld" })
      yield* Scope.close(scope, Exit.void)
      expect(yield* other.ask(`file ${file}`)).toMatchObject({ tag: "won" })
      expect(yield* refused(file)).toMatchObject({ _tag: "LockHeld" })
      yield* other.ask("release")
      yield* FileLock.acquire(file)
    })
  )

  it.scopedLive("releases the lock when its owner is killed, even if child processes survive", () =>
    Effect.gen(function* () {
      const file = yield* path
      const holder = yield* contender
      const verdict = yield* holder.ask(`parent ${file}`)
      const child = verdict.tag === "won" ? verdict.child : 0
      expect(child).toBeGreaterThan(0)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(child, "SIGKILL")))
      yield* refused(file)
      yield* holder.kill
      yield* FileLock.acquire(file)
      // The child process is still alive.
      process.kill(child, 0)
    })
  )

  it.scopedLive("does not block the event loop when the lock is taken", () =>
    Effect.gen(function* () {
      const file = yield* path
      const { now } = yield* RealClock
      yield* FileLock.acquire(file)
      const took = yield* Effect.replicateEffect(
        Effect.gen(function* () {
          const begun = yield* now
          yield* refused(file)
          return (yield* now) - begun
        }),
        5
      )
      // A loaded machine may stall the event loop too, but not every time.
      expect(Math.min(...took)).toBeLessThan(50)
    })
  )

  for (const [what, takeAway] of [
    ["deleted", (file: string) => rmSync(file)],
    ["moved away", (file: string) => renameSync(file, `${file}.old`)],
    ["replaced", (file: string) => (writeFileSync(`${file}.new`, ""), renameSync(`${file}.new`, file))]
  ] as const) {
    it.scoped(`is no longer held once its file was ${what}`, () =>
      Effect.gen(function* () {
        const file = yield* path
        const first = yield* FileLock.acquire(file)
        takeAway(file)
        expect(yield* first.isHeld).toBe(false)
        const second = yield* FileLock.acquire(file)
        expect(second.file).not.toBe(first.file)
        expect(yield* Effect.all([first.isHeld, second.isHeld])).toEqual([false, true])
      })
    )
  }

  it.scopedLive("is released when the same process opens and closes its file by other means", () =>
    Effect.gen(function* () {
      const file = yield* path
      yield* FileLock.acquire(file)
      const other = yield* contender
      closeSync(openSync(file, "r"))
      expect(yield* other.ask(`file ${file}`)).toMatchObject({ tag: "won" })
    })
  )

  it.scoped("fails with a reason on a path that cannot be locked", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      writeFileSync(`${directory}/text`, "this is no database, and longer than its header\n".repeat(100))
      mkdirSync(`${directory}/directory`)
      expect(yield* refused(`${directory}/text`)).toMatchObject({ _tag: "StoreError", reason: "corrupt" })
      for (const name of ["directory", "missing/lock"]) {
        const error = yield* refused(`${directory}/${name}`)
        expect(error).toMatchObject({ _tag: "StoreError", reason: "other" })
        expect(error.message).toContain(`lock ${directory}/${name}`)
      }
    })
  )

  for (const reason of ["ENOLCK", "EOPNOTSUPP"]) {
    it.scopedLive.skipIf(!canReplace)(`fails with a reason on a file system without locks: ${reason} (needs cc)`, () =>
      Effect.gen(function* () {
        const file = yield* path
        const library = compile(yield* TemporaryDirectory.make, reason)
        const other = yield* Contender.start(yield* Contender.program, { env: { LD_PRELOAD: library ?? "" } })
        for (const what of ["file", "own"]) {
          const verdict = yield* other.ask(`${what} ${file}`)
          expect(verdict).toMatchObject({ tag: "lost", error: "StoreError" })
          expect(verdict.tag === "lost" && verdict.message).toContain(`${file} is on a file system without locks`)
        }
        // The probe file was removed.
        expect(readdirSync(dirname(file)).filter((name) => name !== "lock")).toEqual([])
      })
    )
  }

  it.scoped("is never acquired on a read-only file", () =>
    Effect.gen(function* () {
      const file = yield* path
      chmodSync(dirname(file), 0o755)
      writeFileSync(file, "", { mode: 0o444 })
      expect(yield* asNobody(refused(file))).toMatchObject({ _tag: "StoreError", reason: "readonly" })
    })
  )
})
