/**
 * What the files of a database say about themselves, and whether a checkpoint explains a change. In WAL mode SQLite writes the
 * database file in checkpoints only, and counts in shared memory how far they have come: a file whose content was replaced has
 * changed without that.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs"

export interface FileStat {
  readonly identity: string
  readonly size: number
  readonly mtime: bigint
}

/** Nothing is opened for this: to close it would give up the locks that SQLite has on the file. */
export const stat = (path: string): FileStat | undefined => {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && { identity: `${found.dev}:${found.ino}`, size: Number(found.size), mtime: found.mtimeNs }
}

export const isSame = (a: FileStat | undefined, b: FileStat | undefined): boolean =>
  a?.identity === b?.identity && a?.size === b?.size && a?.mtime === b?.mtime

/** From the header of the log. Each time that SQLite begins at its start again, it adds one to the salt, and draws the other. */
export interface LogHeader {
  readonly salt: number
  readonly random: number
}

export const logHeaderSize = 32

/** Opened and closed again: SQLite keeps its locks on other files. */
export const logHeader = (path: string): LogHeader | undefined => {
  const header = Buffer.alloc(logHeaderSize)
  try {
    const descriptor = openSync(path, "r")
    try {
      if (readSync(descriptor, header, 0, logHeaderSize, 0) < logHeaderSize) return undefined
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return undefined
  }
  return { salt: header.readUInt32BE(16), random: header.readUInt32BE(20) }
}

/** What is known of the files at a moment. */
export interface FileState {
  readonly main: FileStat | undefined
  readonly log: FileStat | undefined
  readonly header: LogHeader | undefined
  /** Frames in the log, and how many of them checkpoints have carried into the file. */
  readonly frames: number
  readonly checkpointed: number
}

/** More often than this no log begins again between two comparisons; the first salt of a log is any number. */
const mostRestarts = 2 ** 20

/** How often the log was begun again; none when the header is not from the same log. */
const restarts = (before: LogHeader, now: LogHeader): number | undefined => {
  const times = (now.salt - before.salt) >>> 0
  if (times === 0) return now.random === before.random ? 0 : undefined
  return times < mostRestarts ? times : undefined
}

/** Whether the log is not the one that SQLite has written: its header is another one's. */
export const isLogForeign = (before: FileState, now: FileState): boolean =>
  before.header !== undefined && now.header !== undefined && restarts(before.header, now.header) === undefined

/** Whether checkpoints have written into the file in between, so that it may have changed. */
export const isCheckpointed = (before: FileState, now: FileState): boolean => {
  const wasComplete = before.checkpointed >= before.frames
  if (now.header === undefined || before.header === undefined) {
    // `TRUNCATE` leaves an empty log; the first frames make one.
    return (now.frames <= 0 && !isSame(before.log, now.log)) || now.checkpointed > 0
  }
  const times = restarts(before.header, now.header) ?? 0
  if (times === 0) return now.frames < before.frames ? !wasComplete : now.checkpointed > before.checkpointed
  return !wasComplete || times > 1 || now.checkpointed > 0
}
