/**
 * A file of lines that does not grow without end: a full one becomes `NAME.1`, what was that becomes `NAME.2`, and the oldest
 * is dropped.
 *
 * A line is with the kernel when it is written, so nothing is left to be done at the end, however that comes. The file is
 * opened for each line: to move it away, or to delete it, does no harm. Where a line does not fit on the disk, none of it stays.
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
  /** In bytes, of each file. */
  readonly limit: number
  /** How many full ones stay. */
  readonly keep: number
}

export interface RotatedFile {
  /** Throws when it cannot be written. */
  readonly append: (line: string) => void
}

// Not to wait for who reads a pipe that somebody has put there.
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

/** Not what leads to it: that is gone because somebody wants it to be. */
const makeDirectory = (path: string) => {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { mode: 0o700 })
}

const writeAsMuch = (fd: number, bytes: Buffer): number => {
  let done = 0
  // A disk that has become full takes a part, and then nothing.
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
