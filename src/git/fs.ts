/** File operations besides git; a missing file is a result, not an error. */
import { Effect, Option } from "effect"
import { constants, type Stats } from "node:fs"
import { chmod, copyFile, lstat, mkdir, open, readdir, readFile, realpath, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
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
 * The queries as promises, for a `step` with several concurrent ones: each is a round trip through Node's thread pool.
 */
export const promises = {
  look: (path: string): Promise<Option.Option<Stats>> => ifThere(lstat(path)),

  read: async (path: string): Promise<Option.Option<Buffer>> =>
    Option.exists(await promises.look(path), (stats) => stats.isFile()) ? ifThere(readFile(path)) : Option.none(),

  readLine: async (path: string): Promise<Option.Option<string>> =>
    Option.map(await promises.read(path), (content) => content.toString().replace(/\n[^]*$/, "")),

  real: (path: string): Promise<Option.Option<string>> => ifThere(realpath(path))
}

/** Copies a file, and flushes the copy. It is opened for reading: git makes its objects read-only, and a copy is, too. */
export const copyFlushed = async (from: string, to: string): Promise<void> => {
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  const file = await open(to, "r")
  await file.sync().finally(() => file.close())
}

/** Replaces a file in one step, durably; makes its directory if there is none. */
export const replaceFlushed = (
  path: string,
  content: string | Buffer,
  operation = `write ${path}`
): Effect.Effect<void, GitFailed> =>
  step(operation, async () => {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(`${path}.tmp`, "w")
    await file
      .writeFile(content)
      .then(() => file.sync())
      .finally(() => file.close())
    await rename(`${path}.tmp`, path)
  })

/** The file at the path; a symbolic link is not followed. */
export const stat = (path: string): Effect.Effect<Option.Option<Stats>, GitFailed> =>
  step(`look at ${path}`, () => promises.look(path))

/** The content of a regular file. Anything else, such as a named pipe that would block, counts as absent. */
export const read = (path: string): Effect.Effect<Option.Option<Buffer>, GitFailed> =>
  step(`read ${path}`, () => promises.read(path))

/** The first line of a small git file. */
export const readLine = (path: string): Effect.Effect<Option.Option<string>, GitFailed> =>
  step(`read ${path}`, () => promises.readLine(path))

/** The names in a directory, sorted; empty if there is no directory. */
export const list = (path: string): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(
    step(`list ${path}`, () => ifThere(readdir(path))),
    Option.match({ onNone: () => [], onSome: (names) => names.toSorted() })
  )

/** The path without symbolic links, `.` and `..`. */
export const real = (path: string): Effect.Effect<Option.Option<string>, GitFailed> =>
  step(`resolve ${path}`, () => promises.real(path))

/** Whether the path is the directory or inside it. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

/** Makes read-only directories writable, as in a module cache. */
const unlock = async (directory: string): Promise<void> => {
  try {
    await chmod(directory, (await lstat(directory)).mode | 0o700)
    const entries = await readdir(directory, { withFileTypes: true })
    for (const entry of entries) if (entry.isDirectory()) await unlock(`${directory}/${entry.name}`)
  } catch {
    // The directory was removed meanwhile, or belongs to another user; then the operation itself fails.
  }
}

/** Removes the file or directory at the path, if it exists; the target of a symbolic link stays. */
export const remove = (path: string): Effect.Effect<void, GitFailed> =>
  step(`remove ${path}`, async () => {
    const once = () => rm(path, { recursive: true, force: true, maxRetries: 3 })
    const isDirectory = Option.exists(await promises.look(path), (stats) => stats.isDirectory())
    await (isDirectory ? once().catch(() => unlock(path).then(once)) : once())
  })

/** Runs an operation that writes below a directory; if it fails, makes all directories there writable and retries once. */
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
