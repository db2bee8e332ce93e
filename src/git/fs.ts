/** The few things that are done to files beside git; what is not there is an answer, not an error. */
import { Effect, Option } from "effect"
import { type Stats } from "node:fs"
import { chmod, lstat, readdir, readFile, realpath, rm } from "node:fs/promises"
import type { GitFailed } from "./GitError.js"
import { step } from "./GitCommand.js"

const isAbsent = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")

const ifThere = <A>(question: Promise<A>): Promise<Option.Option<A>> =>
  question.then(Option.some, (cause: unknown) => {
    if (isAbsent(cause)) return Option.none<A>()
    throw cause
  })

/**
 * The questions as promises, for a `step` that asks several at once. Each is a way to Node's threads and back, on which it waits
 * for whatever else wants the processor.
 */
export const promises = {
  look: (path: string): Promise<Option.Option<Stats>> => ifThere(lstat(path)),

  read: async (path: string): Promise<Option.Option<Buffer>> =>
    Option.exists(await promises.look(path), (stats) => stats.isFile()) ? ifThere(readFile(path)) : Option.none(),

  readLine: async (path: string): Promise<Option.Option<string>> =>
    Option.map(await promises.read(path), (content) => content.toString().replace(/\n[^]*$/, "")),

  real: (path: string): Promise<Option.Option<string>> => ifThere(realpath(path))
}

/** What stands at the path itself; a symbolic link is not followed. */
export const stat = (path: string): Effect.Effect<Option.Option<Stats>, GitFailed> =>
  step(`look at ${path}`, () => promises.look(path))

/** A regular file. Anything else, such as a named pipe that would never end, counts as absent. */
export const read = (path: string): Effect.Effect<Option.Option<Buffer>, GitFailed> =>
  step(`read ${path}`, () => promises.read(path))

/** The first line of a small file of git's. */
export const readLine = (path: string): Effect.Effect<Option.Option<string>, GitFailed> =>
  step(`read ${path}`, () => promises.readLine(path))

/** The names in a directory, sorted; none where there is no directory. */
export const list = (path: string): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(
    step(`list ${path}`, () => ifThere(readdir(path))),
    Option.match({ onNone: () => [], onSome: (names) => names.toSorted() })
  )

/** The path without symbolic links, `.` and `..`. */
export const real = (path: string): Effect.Effect<Option.Option<string>, GitFailed> =>
  step(`resolve ${path}`, () => promises.real(path))

/** Whether the one path is the other or leads into it. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

/** Makes directories writable that are not, such as those of a module cache. */
const unlock = async (directory: string): Promise<void> => {
  try {
    await chmod(directory, (await lstat(directory)).mode | 0o700)
    const entries = await readdir(directory, { withFileTypes: true })
    for (const entry of entries) if (entry.isDirectory()) await unlock(`${directory}/${entry.name}`)
  } catch {
    // It has gone meanwhile, or belongs to another user: the operation itself fails then.
  }
}

/** Removes what is at the path, if anything is, with all that is in it; what a symbolic link leads to stays. */
export const remove = (path: string): Effect.Effect<void, GitFailed> =>
  step(`remove ${path}`, async () => {
    const once = () => rm(path, { recursive: true, force: true, maxRetries: 3 })
    const isDirectory = Option.exists(await promises.look(path), (stats) => stats.isDirectory())
    await (isDirectory ? once().catch(() => unlock(path).then(once)) : once())
  })

/** Runs what writes below a directory; where it fails, once more with all directories there unlocked. */
export const unlocking = <A, E, R>(
  directory: string,
  write: Effect.Effect<A, E | GitFailed, R>
): Effect.Effect<A, E | GitFailed, R> =>
  Effect.catchTag(write, "GitFailed", () =>
    Effect.zipRight(
      step(`unlock ${directory}`, () => unlock(directory)),
      write
    )
  )
