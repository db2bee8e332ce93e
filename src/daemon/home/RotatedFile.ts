/**
 * A log file with rotation: a full file becomes `NAME.1`, the former `NAME.1` becomes `NAME.2`, and the oldest is deleted.
 *
 * Each line is written at once, so nothing has to be flushed on exit, not even on a crash. The file is opened for each line, so that
 * it may be moved or deleted. A line that does not fit on the disk is removed as a whole.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync
} from "node:fs"
import { dirname } from "node:path"

export interface Options {
  readonly path: string
  /** Maximum size of each file in bytes. */
  readonly limit: number
  /** How many rotated files to keep. */
  readonly keep: number
}

export interface RotatedFile {
  /** Throws when it cannot be written. */
  readonly append: (line: string) => void
}

// Non-blocking, in case the path is a named pipe.
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

export const make = ({ keep, limit, path }: Options): RotatedFile => {
  const older = (n: number) => (n === 0 ? path : `${path}.${n}`)

  const makeRoom = (size: number) => {
    const there = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (there === 0 || there + size <= limit) return
    for (let n = keep; n > 0; n--) {
      if (statSync(older(n - 1), { throwIfNoEntry: false }) !== undefined) renameSync(older(n - 1), older(n))
    }
  }

  return {
    append: (line) => {
      const bytes = Buffer.from(`${line}\n`)
      makeDirectory(dirname(path))
      makeRoom(bytes.length)
      const fd = openSync(path, flags, 0o600)
      try {
        const { size } = fstatSync(fd)
        if (writeAsMuch(fd, bytes) === bytes.length) return
        ftruncateSync(fd, size)
        throw new Error("there is no room for a whole line")
      } finally {
        closeSync(fd)
      }
    }
  }
}

/** Not its parents: if those are gone, the home was removed on purpose. */
const makeDirectory = (path: string) => {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { mode: 0o700 })
}

const writeAsMuch = (fd: number, bytes: Buffer): number => {
  let done = 0
  // As the disk fills up, a part is written, and then nothing.
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done)
    } catch (cause) {
      if (done === 0) throw cause
      return done
    }
  }
  return done
}
