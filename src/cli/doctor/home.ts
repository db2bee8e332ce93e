/**
 * Whether the home directory can be used, has room, and who uses it.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { statfs } from "node:fs/promises"
import * as Home from "../../daemon/Home.js"
import * as HomeLock from "../../daemon/HomeLock.js"
import * as Finding from "./Finding.js"

/** Fails where it cannot be used, whatever is in it. */
export const look = Effect.gen(function* () {
  const { directory } = yield* Home.Home
  const state = yield* Home.inspect(directory)
  return [yield* stands(directory, state), ...(yield* room(directory)), yield* user]
})

const stands = (directory: string, state: Home.State) => {
  switch (state) {
    case "missing":
      return missing(directory)
    case "open":
      return Effect.succeed(
        Finding.warning("home", `${directory} can be read by other users`, `chmod 700 ${directory}`)
      )
    case "closed":
      return Effect.succeed(Finding.ok("home", directory))
  }
}

/** It will be made, if what is there of the way to it allows for it. */
const missing = (directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const parent = yield* nearest(directory)
    const isWritable = yield* Effect.isSuccess(fs.access(parent, { writable: true }))
    return isWritable
      ? Finding.ok("home", `${directory} is not there yet, and will be made`)
      : Finding.problem(
          "home",
          `${directory} is not there, and cannot be made in ${parent}`,
          "make it, or choose another directory with CHARLOTTE_HOME"
        )
  })

/** The directory itself, or the last one on the way to it that is there. */
const nearest = (directory: string): Effect.Effect<string, never, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const parent = path.dirname(directory)
    const isThere = yield* Effect.orElseSucceed(fs.exists(directory), () => false)
    return isThere || parent === directory ? directory : yield* nearest(parent)
  })

const room = (directory: string) =>
  Effect.gen(function* () {
    const place = yield* nearest(directory)
    const free = yield* Effect.option(Effect.tryPromise(async () => statfs(place)))
    return Option.toArray(Option.map(free, ({ bavail, bsize }) => space(bavail * bsize)))
  })

const mebibyte = 1024 ** 2

/** Of so many bytes that are free. Worktrees with what is installed in them take a lot. */
export const space = (bytes: number): Finding.Finding => {
  const size = bytes < 1024 * mebibyte ? `${Math.floor(bytes / mebibyte)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`
  if (bytes >= 1024 * mebibyte) return Finding.ok("space", `${size} free`)
  const tell = bytes < 100 * mebibyte ? Finding.problem : Finding.warning
  return tell(
    "space",
    `only ${size} free for database, logs and worktrees`,
    "make room (charlotte prune removes what ended jobs have left), or choose another directory with CHARLOTTE_HOME"
  )
}

const user = Effect.gen(function* () {
  const note = yield* HomeLock.note
  if (Option.isNone(note)) return Finding.ok("in use", "by nobody")
  if (Option.isSome(yield* HomeLock.holder)) return Finding.ok("in use", `by ${note.value}`)
  return Finding.warning(
    "in use",
    `by nobody; ${note.value} was killed, or the machine was`,
    "nothing: the next command that uses the home puts it in order"
  )
})
