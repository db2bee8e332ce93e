/**
 * Git's lock files. A lock that no live process can hold, and that is not brand-new, was abandoned and is removed. All others are
 * waited for, and reported if they stay: a lock is never removed for its age alone. Without `/proc`, every lock counts as held; a
 * lock of a process in another container, which `/proc` does not show, is protected only by its age.
 */
import { Clock, Duration, Effect, Option } from "effect"
import type { Stats } from "node:fs"
import { rm } from "node:fs/promises"
import * as runningTime from "../internal/runningTime.js"
import * as fs from "./fs.js"
import { GitCommand, step } from "./GitCommand.js"
import { Locked } from "./GitError.js"
import { type LockHolder, holdersOf } from "./LockHolders.js"

const pause = Duration.millis(50)

/** Lock holders live in real time, even under a test clock. */
const realTime = Clock.make()

const isSame = (one: Stats, other: Stats): boolean =>
  one.dev === other.dev && one.ino === other.ino && one.mtimeMs === other.mtimeMs && one.size === other.size

/** Removes an abandoned lock; returns the holders of any other. */
const examine = (file: string, places: ReadonlyArray<string>, stats: Stats) =>
  Effect.gen(function* () {
    const { staleAfter } = (yield* GitCommand).environment
    const holders = yield* step(`look for who holds ${file}`, () => holdersOf(file, stats, places))
    const none: ReadonlyArray<LockHolder> = []
    if (holders === undefined || holders.length > 0) return holders ?? none
    const age = (yield* Clock.currentTimeMillis) - stats.mtimeMs
    if (age < Duration.toMillis(staleAfter)) return none
    // Meanwhile, another process may have removed it and a third one created its own.
    if (Option.exists(yield* fs.stat(file), (now) => isSame(now, stats))) {
      yield* step(`remove ${file}`, () => rm(file, { force: true }))
      yield* Effect.logWarning(`removed the lock ${file} of a process that is dead`)
    }
    return none
  })

/**
 * Returns once none of the files exists.
 *
 * @param places the checkouts and git directories that the locks guard
 */
export const settle = <E, R>(files: ReadonlyArray<string>, places: Effect.Effect<ReadonlyArray<string>, E, R>) =>
  Effect.gen(function* () {
    const { patience } = (yield* GitCommand).environment
    const found = yield* step(`look at ${files.join(", ")}`, () => Promise.all(files.map(fs.promises.look)))
    if (found.every(Option.isNone)) return
    let left = Duration.toMillis(patience)
    let seenAt = yield* Clock.currentTimeMillis
    for (const file of files) {
      let stats = yield* fs.stat(file)
      while (Option.isSome(stats)) {
        const holders = yield* examine(file, yield* places, stats.value)
        stats = yield* fs.stat(file)
        if (Option.isNone(stats)) break
        const now = yield* Clock.currentTimeMillis
        left -= runningTime.counted(seenAt, now, Duration.toMillis(pause))
        seenAt = now
        if (left <= 0) return yield* new Locked({ file, holders })
        yield* Effect.sleep(pause)
      }
    }
  }).pipe(Effect.withClock(realTime))
