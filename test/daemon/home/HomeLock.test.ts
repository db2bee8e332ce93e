/** One manager in a home, and what those are told who come too late. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Layer, Option, Scope } from "effect"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeLock from "../../../src/daemon/home/HomeLock.js"
import * as FileLock from "../../../src/store/sqlite/FileLock.js"
import { KernelRef } from "../../../src/internal/ProcessIdentity.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import * as HurriedClock from "../../support/hurriedClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Contender from "../Contender.js"

const options = { what: "daemon", version: "0.9.0" } as const

/** A home that is not there yet. */
const directory = TemporaryDirectory.file("home")

const inHome = (directory: string) => Layer.provideMerge(Home.layerAt(directory), NodeContext.layer)

/** Takes the lock until the scope closes. */
const take = (directory: string) => Effect.provide(HomeLock.make(options), inHome(directory))

const refused = (directory: string) => Effect.flip(Effect.scoped(take(directory)))

const named = (directory: string) => Effect.provide(HomeLock.holder, inHome(directory))

/** What a holder leaves that had no time to tidy up. */
const leaveNote = (
  directory: string,
  change: (process: HomeLock.LockOwner["process"]) => HomeLock.LockOwner["process"]
) =>
  Effect.gen(function* () {
    const { self } = yield* KernelRef
    const note = { ...options, since: "2026-01-01T00:00:00.000Z", process: change(self), file: "1" }
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(`${directory}/lock.json`, JSON.stringify(note))
  })

describe("home lock", () => {
  it.scopedLive("is free as soon as its holder is killed, although its note is still there", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const program = yield* Contender.program
      const first = yield* Contender.start(program)
      expect(yield* first.ask(`home ${home}`)).toMatchObject({ tag: "won" })
      expect(yield* named(home)).toMatchObject(Option.some({ what: "run", process: { pid: first.pid } }))
      expect(yield* refused(home)).toMatchObject({ _tag: "HomeBusy", holder: { process: { pid: first.pid } } })
      yield* first.kill
      expect(existsSync(`${home}/lock.json`)).toBe(true)
      expect(yield* named(home)).toEqual(Option.none())
      const { holder } = yield* take(home)
      expect(yield* named(home)).toEqual(Option.some(holder))
      const second = yield* Contender.start(program)
      expect(yield* second.ask(`home ${home}`)).toMatchObject({ tag: "lost", holder: process.pid })
    })
  )

  it.scoped("is released in order: the note never names a process that does not hold it", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const scope = yield* Scope.make()
      const { holder, isHeld } = yield* Scope.extend(take(home), scope)
      expect(holder).toMatchObject({ ...options, process: { pid: process.pid } })
      expect(yield* isHeld).toBe(true)
      expect(statSync(`${home}/lock.json`).mode & 0o777).toBe(0o600)
      expect(readdirSync(home).sort()).toEqual(["lock", "lock.json"])
      yield* Scope.close(scope, Exit.void)
      expect(readdirSync(home)).toEqual(["lock"])
      yield* Effect.scoped(take(home))
    })
  )

  it.scoped("names its holder in an error that says what to do", () =>
    Effect.gen(function* () {
      const home = yield* directory
      yield* take(home)
      expect((yield* refused(home)).message).toBe(
        `${home} is in use by charlotte daemon (pid ${process.pid}, version 0.9.0) since 1970-01-01T00:00:00Z; ` +
          "shut it down with charlotte daemon stop, or set CHARLOTTE_HOME to another directory"
      )
    })
  )
})

describe("lock note", () => {
  const stale: Record<string, (home: string) => Effect.Effect<void>> = {
    "of a process that is gone": (home) => leaveNote(home, (self) => ({ ...self, pid: 2 ** 22 + 1 })),
    "of a process whose pid is used again": (home) => leaveNote(home, (self) => ({ ...self, startTime: "1" })),
    "from before the machine was started": (home) => leaveNote(home, (self) => ({ ...self, bootId: "another" })),
    "of another container, whose processes cannot be asked for": (home) =>
      leaveNote(home, (self) => ({ ...self, pidNamespace: "pid:[1]" })),
    "that is cut off": (home) =>
      Effect.andThen(
        leaveNote(home, (self) => self),
        () => {
          const note = readFileSync(`${home}/lock.json`, "utf8")
          writeFileSync(`${home}/lock.json`, note.slice(0, -10))
        }
      ),
    "that is empty": (home) =>
      Effect.andThen(
        leaveNote(home, (self) => self),
        () => writeFileSync(`${home}/lock.json`, "")
      )
  }

  for (const [what, leave] of Object.entries(stale)) {
    it.scoped(`${what} does not prevent locking`, () =>
      Effect.gen(function* () {
        const home = yield* directory
        yield* leave(home)
        const { holder } = yield* take(home)
        expect(yield* named(home)).toEqual(Option.some(holder))
      })
    )
  }

  it.scoped("of a live process that has released the lock excludes no other process", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const scope = yield* Scope.make()
      yield* Scope.extend(take(home), scope)
      const note = readFileSync(`${home}/lock.json`)
      yield* Scope.close(scope, Exit.void)
      writeFileSync(`${home}/lock.json`, note)
      expect(yield* named(home)).toMatchObject(Option.some({ process: { pid: process.pid } }))
      yield* take(home)
    })
  )

  for (const what of ["of a process that is gone", "of a process whose pid is used again", "that is cut off"]) {
    it.scoped(`${what} is not attributed to a holder without a note`, () =>
      Effect.gen(function* () {
        const home = yield* directory
        yield* stale[what]?.(home) ?? Effect.void
        yield* FileLock.acquire(`${home}/lock`)
        const error = yield* refused(home)
        expect(error).toMatchObject({ _tag: "HomeBusy", holder: undefined })
        expect(error.message).toBe(
          `${home} is in use by another process; wait until it has exited, ` +
            "or set CHARLOTTE_HOME to another directory"
        )
      }).pipe(Effect.provide(HurriedClock.layer))
    )
  }

  it.scoped("is waited for while its holder is about to write it", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const other = yield* directory
      yield* take(other)
      mkdirSync(home, { mode: 0o700 })
      yield* FileLock.acquire(`${home}/lock`)
      const late = Layer.succeed(RealClock, {
        now: Effect.succeed(0),
        sleep: () => Effect.sync(() => renameSync(`${other}/lock.json`, `${home}/lock.json`)),
        turn: Effect.void
      })
      expect(yield* Effect.provide(refused(home), late)).toMatchObject({ holder: { process: { pid: process.pid } } })
    })
  )

  it.scoped("is no longer waited for once the lock is free", () =>
    Effect.gen(function* () {
      const home = yield* directory
      mkdirSync(home, { mode: 0o700 })
      const scope = yield* Scope.make()
      yield* Scope.extend(FileLock.acquire(`${home}/lock`), scope)
      const clock = Layer.succeed(RealClock, {
        now: Effect.succeed(0),
        sleep: () => Scope.close(scope, Exit.void),
        turn: Effect.void
      })
      expect(yield* Effect.provide(take(home), clock)).toMatchObject({ holder: options })
    })
  )

  it.scoped("that cannot be written, since a directory has its name, is refused with what to do", () =>
    Effect.gen(function* () {
      const home = yield* directory
      mkdirSync(`${home}/lock.json`, { recursive: true, mode: 0o700 })
      expect(yield* refused(home)).toMatchObject({
        _tag: "HomeUnusable",
        message: `the home directory ${home} cannot be used: its lock.json is a directory; move that away`
      })
      rmdirSync(`${home}/lock.json`)
      expect(yield* take(home)).toMatchObject({ holder: options })
    })
  )
})

describe("a home whose lock file was deleted", () => {
  it.scopedLive("still belongs to its holder, which notices, until that ends", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const first = yield* Contender.start(yield* Contender.program)
      yield* first.ask(`home ${home}`)
      rmSync(`${home}/lock`)
      expect(yield* refused(home)).toMatchObject({ _tag: "HomeBusy", holder: { process: { pid: first.pid } } })
      expect(yield* named(home)).toMatchObject(Option.some({ process: { pid: first.pid } }))
      yield* first.kill
      expect(yield* take(home)).toMatchObject({ holder: options })
    })
  )

  it.scoped("keeps the note of its new holder when the former one ends", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(take(home), scope)
      rmSync(`${home}/lock`)
      rmSync(`${home}/lock.json`)
      expect(yield* first.isHeld).toBe(false)
      const second = yield* take(home)
      yield* Scope.close(scope, Exit.void)
      expect(yield* named(home)).toEqual(Option.some(second.holder))
      expect(DateTime.toEpochMillis(second.holder.since)).toBe(0)
    })
  )
})
