/**
 * There is one manager in a home: it holds the kernel's lock on it, and leaves a note that says who it is, for those who come
 * too late. The lock decides, never the note: one that a crash has left behind is seen through and written over.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Context, DateTime, Effect, Layer, Option, Schema, type Scope } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as KernelLock from "../store/KernelLock.js"
import { KernelRef } from "../store/ProcessIdentity.js"
import { WallClock } from "../store/WallClock.js"
import { Home } from "./Home.js"

/** Who holds a home. */
export class Holder extends Schema.Class<Holder>("charlotte/Holder")({
  what: Schema.Literal("run", "daemon"),
  version: Schema.String,
  since: Schema.DateTimeUtc,
  process: Schema.Struct({
    pid: Schema.Int,
    bootId: Schema.String,
    startTime: Schema.String,
    pidNamespace: Schema.String
  }),
  /** The file on which it holds the lock. */
  file: Schema.String
}) {
  override toString(): string {
    const since = DateTime.formatIso(this.since).replace(/\.\d+/, "")
    return `charlotte ${this.what} (pid ${this.process.pid}, version ${this.version}) since ${since}`
  }
}

/** Another process has the home; nothing in it was touched. */
export class HomeBusy extends Schema.TaggedError<HomeBusy>()("HomeBusy", {
  directory: Schema.String,
  /** Missing if it has not said who it is. */
  holder: Schema.optional(Holder)
}) {
  override get message() {
    const { directory, holder } = this
    const other = "or use another home directory, which CHARLOTTE_HOME names"
    if (holder === undefined) return `${directory} is in use by another process; wait until it has ended, ${other}`
    const out = holder.what === "run" ? "wait until it has ended" : "end it with charlotte daemon stop"
    return `${directory} is in use by ${holder}; ${out}, ${other}`
  }
}

export interface Service {
  readonly holder: Holder
  /** Whether the lock still keeps others out; it does not when somebody has deleted its file. */
  readonly isHeld: Effect.Effect<boolean>
}

export class HomeLock extends Context.Tag("charlotte/HomeLock")<HomeLock, Service>() {}

export interface Options {
  readonly what: Holder["what"]
  /** Of Charlotte. */
  readonly version: string
}

/** Who the note in a home names; a crash may have left it behind. */
export const note: Effect.Effect<Option.Option<Holder>, never, Home | FileSystem> = Effect.gen(function* () {
  const fs = yield* FileSystem
  const home = yield* Home
  const text = fs.readFileString(home.holder)
  return yield* Effect.option(Effect.flatMap(text, Schema.decode(Schema.parseJson(Holder))))
})

/** The same, if that process is alive, or may be: one of another container is not known. */
export const holder: Effect.Effect<Option.Option<Holder>, never, Home | FileSystem> = Effect.gen(function* () {
  const { isAlive } = yield* KernelRef
  const named = yield* note
  return Option.isSome(named) && (yield* isAlive(named.value.process)) ? named : Option.none()
})

/** How long a holder may take to leave its note, in milliseconds of real time: it is another process. */
const patience = 5_000
const pause = 20

/** Takes the lock, or says who has it. */
const take: Effect.Effect<KernelLock.KernelLock, HomeBusy | StoreError, Home | FileSystem | Scope.Scope> = Effect.gen(
  function* () {
    const home = yield* Home
    const { now, sleep } = yield* WallClock
    const deadline = (yield* now) + patience
    const attempt: typeof take = Effect.catchTag(KernelLock.acquire(home.lock), "LockHeld", () =>
      Effect.gen(function* () {
        const named = yield* holder
        if (Option.isSome(named) || (yield* now) > deadline) return yield* busy(home.directory, named)
        yield* sleep(pause)
        return yield* attempt
      })
    )
    return yield* attempt
  }
)

const busy = (directory: string, holder: Option.Option<Holder>) =>
  new HomeBusy({ directory, holder: Option.getOrUndefined(holder) })

/** Where the file of a lock was deleted, another process can have the new one; the note still tells of the first. */
const refuseSecond = ({ file }: KernelLock.KernelLock) =>
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

/** Readers find the whole note or none. Only the holder of the lock writes here. */
const leaveNote = (holder: Holder) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const home = yield* Home
    const note = yield* Schema.encode(Schema.parseJson(Holder))(holder)
    yield* fs.writeFileString(`${home.holder}.new`, note, { mode: 0o600 })
    yield* fs.rename(`${home.holder}.new`, home.holder)
    // It is a courtesy: without it, those who come too late are told less.
  }).pipe(Effect.catchAll((error) => Effect.logWarning(`could not say who uses the home directory: ${error.message}`)))

const removeNote = Effect.gen(function* () {
  const fs = yield* FileSystem
  const home = yield* Home
  yield* Effect.ignore(fs.remove(home.holder))
})

export const make = (
  options: Options
): Effect.Effect<Service, HomeBusy | StoreError, Home | FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const lock = yield* take
    yield* refuseSecond(lock)
    const { self } = yield* KernelRef
    const holder = new Holder({ ...options, since: yield* DateTime.now, process: self, file: lock.file })
    yield* Effect.acquireRelease(leaveNote(holder), () => Effect.whenEffect(removeNote, lock.isHeld))
    return { holder, isHeld: lock.isHeld }
  })

/** Holds the home for as long as the layer lives. */
export const layer = (options: Options): Layer.Layer<HomeLock, HomeBusy | StoreError, Home | FileSystem> =>
  Layer.scoped(HomeLock, make(options))
