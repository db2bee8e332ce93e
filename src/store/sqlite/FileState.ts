/**
 * The state of the files of a database, and whether a checkpoint explains a change. In WAL mode SQLite writes to the database
 * file only in checkpoints, and counts the checkpointed frames in shared memory; a replaced file changes without that count.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs"

export interface FileStat {
  readonly identity: string
  readonly size: number
  readonly mtime: bigint
}

/** Reads the state with stat only: opening and closing the file would release the locks that SQLite holds on it. */
export const stat = (path: string): FileStat | undefined => {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && { identity: `${found.dev}:${found.ino}`, size: Number(found.size), mtime: found.mtimeNs }
}

export const isSame = (a: FileStat | undefined, b: FileStat | undefined): boolean =>
  a?.identity === b?.identity && a?.size === b?.size && a?.mtime === b?.mtime

/** The salts in the WAL header. At each restart of the WAL SQLite increments the first and randomizes the second. */
export interface LogHeader {
  readonly salt: number
  readonly random: number
}

export const logHeaderSize = 32

/** Opening the WAL is safe: SQLite holds its locks on other files. */
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

/** Whether the WAL was not restarted between two headers. */
export const isSameLog = (a: LogHeader | undefined, b: LogHeader | undefined): boolean =>
  a?.salt === b?.salt && a?.random === b?.random

/** The state of the files at one moment. */
export interface FileState {
  readonly main: FileStat | undefined
  readonly log: FileStat | undefined
  readonly header: LogHeader | undefined
  /** The number of WAL frames, and how many of them are checkpointed. */
  readonly frames: number
  readonly checkpointed: number
}

/** More restarts than can happen between two comparisons. The first salt of a new WAL is random. */
const maxRestarts = 2 ** 20

/** The number of WAL restarts between two headers; undefined if they are not from the same WAL. */
const restarts = (before: LogHeader, now: LogHeader): number | undefined => {
  const times = (now.salt - before.salt) >>> 0
  if (times === 0) return now.random === before.random ? 0 : undefined
  return times < maxRestarts ? times : undefined
}

/** Whether the WAL was replaced by the WAL of another database. */
export const isLogForeign = (before: FileState, now: FileState): boolean =>
  before.header !== undefined && now.header !== undefined && restarts(before.header, now.header) === undefined

/** Whether the WAL was restarted in between, which only happens after a complete checkpoint. */
export const isRestarted = (before: FileState, now: FileState): boolean =>
  before.header !== undefined && now.header !== undefined && (restarts(before.header, now.header) ?? 0) > 0

/** Whether a checkpoint has run in between, so that the file may have changed. */
export const isCheckpointed = (before: FileState, now: FileState): boolean => {
  const wasComplete = before.checkpointed >= before.frames
  if (now.header === undefined || before.header === undefined) {
    // A `TRUNCATE` checkpoint leaves an empty WAL; the next frames create a header.
    return (now.frames <= 0 && !isSame(before.log, now.log)) || now.checkpointed > 0
  }
  const times = restarts(before.header, now.header) ?? 0
  if (times === 0) return now.frames < before.frames ? !wasComplete : now.checkpointed > before.checkpointed
  return !wasComplete || times > 1 || now.checkpointed > 0
}
