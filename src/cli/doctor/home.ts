/**
 * Checks the home directory, its free space, and which process holds it.
 */
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { statfs } from "node:fs/promises"
import * as Home from "../../daemon/home/Home.js"
import * as HomeLock from "../../daemon/home/HomeLock.js"
import * as Finding from "./Finding.js"

/** Fails if the home cannot be used at all. */
export const check = Effect.gen(function* () {
  const { directory } = yield* Home.Home
  const state = yield* Home.inspect(directory)
  return [permissions(directory, state), ...(yield* freeSpace(directory)), yield* owner]
})

const permissions = (directory: string, state: Home.State) => {
  switch (state) {
    case "missing":
      return Finding.ok("home", `${directory} does not exist yet; it will be created`)
    case "open":
      return Finding.warning("home", `${directory} can be read by other users`, `chmod 700 ${directory}`)
    case "closed":
      return Finding.ok("home", directory)
  }
}

const freeSpace = (directory: string) =>
  Effect.gen(function* () {
    const existing = Home.nearest(yield* Path, directory)
    const free = yield* Effect.option(Effect.tryPromise(async () => statfs(existing)))
    return Option.toArray(Option.map(free, ({ bavail, bsize }) => space(bavail * bsize)))
  })

const mebibyte = 1024 ** 2

/** Judges the free bytes. Worktrees with their dependencies take a lot. */
export const space = (bytes: number): Finding.Finding => {
  const size = bytes < 1024 * mebibyte ? `${Math.floor(bytes / mebibyte)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`
  if (bytes >= 1024 * mebibyte) return Finding.ok("space", `${size} free`)
  const report = bytes < 100 * mebibyte ? Finding.problem : Finding.warning
  return report(
    "space",
    `only ${size} free for database, logs and worktrees`,
    "free disk space (charlotte prune removes leftovers of ended jobs), or set CHARLOTTE_HOME to another directory"
  )
}

const owner = Effect.gen(function* () {
  const note = yield* HomeLock.note
  if (Option.isNone(note)) return Finding.ok("in use", "no")
  if (Option.isSome(yield* HomeLock.holder)) return Finding.ok("in use", `by ${note.value}`)
  return Finding.warning(
    "in use",
    `no; ${note.value} was killed, or the machine crashed`,
    "none needed: the next command that uses the home recovers it"
  )
})
