/**
 * Creates files in a repository. It follows no symbolic link, overwrites nothing, and removes what it has made if it cannot make all.
 */
import { Effect } from "effect"
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { UsageError } from "../parser/UsageError.js"

export interface NewFile {
  /** Relative to the top level. */
  readonly file: string
  readonly text: string
}

/** What is at a path itself, if there is anything. */
export const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

/** Whether there is such a directory; fails if something else is in the way of it. */
export const isDirectory = (top: string, directory: string, hint: string): Effect.Effect<boolean, UsageError> =>
  attempt(() => isThere(top, directory), hint)

/** Synchronous, so that no interruption leaves a part of the files. */
export const create = (top: string, files: ReadonlyArray<NewFile>, hint: string): Effect.Effect<void, UsageError> =>
  attempt(() => {
    const made: Array<() => void> = []
    try {
      for (const { file, text } of files) {
        makeDirectory(top, dirname(file), made)
        refuse(top, file, look(join(top, file)))
        // Fails if there is anything by now, a dangling link as well.
        const descriptor = openSync(join(top, file), "wx")
        made.push(() => unlinkSync(join(top, file)))
        try {
          writeFileSync(descriptor, text)
        } finally {
          closeSync(descriptor)
        }
      }
    } catch (error) {
      for (const undo of made.toReversed()) ignoring(undo)
      throw error
    }
  }, hint)

const attempt = <A>(step: () => A, hint: string): Effect.Effect<A, UsageError> =>
  Effect.try({
    try: step,
    catch: (error) => new UsageError({ problem: error instanceof Error ? reasonOf(error) : String(error), hint })
  })

class InTheWay extends Error {}

/** From the top down: no link is followed to look at what is behind it. */
const isThere = (top: string, directory: string): boolean => {
  if (directory === ".") return true
  if (!isThere(top, dirname(directory))) return false
  const path = join(top, directory)
  const stats = look(path)
  if (stats?.isDirectory() !== true) {
    refuse(top, directory, stats)
    return false
  }
  if (look(join(path, ".git")) !== undefined) throw new InTheWay(`${directory} is in another repository`)
  return true
}

const makeDirectory = (top: string, directory: string, made: Array<() => void>): void => {
  if (isThere(top, directory)) return
  makeDirectory(top, dirname(directory), made)
  const path = join(top, directory)
  mkdirSync(path)
  made.push(() => rmdirSync(path))
}

/** Refuses a path at which there is something, or something whose name differs only in case, which other machines cannot tell apart. */
const refuse = (top: string, file: string, stats: Stats | undefined): void => {
  if (stats !== undefined) throw new InTheWay(`${file} is there already, and is ${kindOf(stats)}`)
  const fold = (name: string) => name.normalize("NFC").toLowerCase()
  const twin = readdirSync(join(top, dirname(file))).find((name) => fold(name) === fold(basename(file)))
  if (twin !== undefined)
    throw new InTheWay(`${join(dirname(file), twin)} is there already, and some machines cannot tell it from ${file}`)
}

const kindOf = (stats: Stats): string => {
  if (stats.isSymbolicLink()) return "a symbolic link"
  if (stats.isDirectory()) return "a directory"
  return stats.isFile() ? "a file" : "a special file"
}

const reasonOf = (error: Error & { readonly code?: unknown; readonly path?: unknown }): string => {
  if (error instanceof InTheWay) return error.message
  const reason = error.code === "EACCES" ? "permission denied" : error.code === "EROFS" ? "it is read-only" : undefined
  return reason === undefined ? error.message : `${dirname(String(error.path))} cannot be written: ${reason}`
}

const ignoring = (undo: () => void): void => {
  try {
    undo()
  } catch {
    // Another process has changed it meanwhile, and it is no longer only what was made here.
  }
}
