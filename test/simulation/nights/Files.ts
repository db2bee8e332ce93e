/**
 * Files in memory, which outlive the processes that write them: prompts, logs, and records of unfinished work.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { SystemError } from "@effect/platform/Error"
import { Effect, Option } from "effect"

export interface Files {
  readonly service: FileSystem.FileSystem
  readonly write: (path: string, text: string) => void
  readonly read: (path: string) => string | undefined
  /** The names in a directory. */
  readonly list: (directory: string) => ReadonlyArray<string>
  /** Removes a file, or all files below a directory. */
  readonly remove: (path: string) => void
}

export const make = (): Files => {
  const files = new Map<string, string>()

  const read = (method: string, path: string) =>
    Effect.suspend(() => {
      const text = files.get(path)
      if (text !== undefined) return Effect.succeed(text)
      const missing = { reason: "NotFound", module: "FileSystem", method, pathOrDescriptor: path } as const
      return Effect.fail(new SystemError(missing))
    })

  const namesIn = (directory: string) => {
    const below = [...files.keys()].filter((path) => path.startsWith(`${directory}/`))
    return [...new Set(below.map((path) => path.slice(directory.length + 1).replace(/\/.*/, "")))].sort()
  }

  const remove = (path: string): void => {
    files.delete(path)
    for (const file of files.keys()) if (file.startsWith(`${path}/`)) files.delete(file)
  }

  return {
    write: (path, text) => void files.set(path, text),
    read: (path) => files.get(path),
    list: namesIn,
    remove,
    service: FileSystem.makeNoop({
      exists: (path) => Effect.sync(() => files.has(path) || namesIn(path).length > 0),
      makeDirectory: () => Effect.void,
      remove: (path) => Effect.sync(() => remove(path)),
      writeFileString: (path, text) => Effect.sync(() => void files.set(path, text)),
      readFileString: (path) => read("readFileString", path),
      open: (path) => Effect.map(read("open", path), opened)
    })
  }
}

/** For those who read a part of a file. */
const opened = (text: string): FileSystem.File => {
  const bytes = Buffer.from(text)
  const unused = Effect.dieMessage("not in the simulation")
  let position = 0
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    fd: FileSystem.FileDescriptor(0),
    stat: Effect.succeed({
      type: "File",
      mtime: Option.none(),
      atime: Option.none(),
      birthtime: Option.none(),
      dev: 0,
      ino: Option.none(),
      mode: 0o600,
      nlink: Option.none(),
      uid: Option.none(),
      gid: Option.none(),
      rdev: Option.none(),
      size: FileSystem.Size(bytes.length),
      blksize: Option.none(),
      blocks: Option.none()
    }),
    seek: (offset) => Effect.sync(() => void (position = Number(offset))),
    readAlloc: (size) =>
      Effect.sync(() => {
        const part = bytes.subarray(position, position + Number(size))
        position += part.length
        return part.length === 0 ? Option.none() : Option.some(part)
      }),
    sync: unused,
    read: () => unused,
    truncate: () => unused,
    write: () => unused,
    writeAll: () => unused
  }
}
