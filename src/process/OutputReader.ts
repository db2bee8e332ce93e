/**
 * Reads the output of a program piece by piece, even while it grows and has exceeded the head of its file.
 */
import { Effect } from "effect"
import { constants, type FileHandle, open, readdir } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { marker, markedAt, markerSize, readTailName, type TailFile } from "./OutputFile.js"

export interface Output {
  readonly path: string
  /** The tail files that continue the output while it grows, in order. */
  readonly tail: ReadonlyArray<Tail>
}

export interface Tail extends TailFile {
  readonly path: string
}

/** How far output was read. */
export interface Position {
  /** Byte offset: in the output while it grows, in the file afterwards. */
  readonly at: number
  /** The size of the head, if output beyond it was read; in the end that output is appended to the head. */
  readonly head: number | undefined
}

export interface Piece {
  readonly bytes: Uint8Array
  /** The position of the next piece. */
  readonly position: Position
}

export const positionAt = (at: number): Position => ({ at, head: undefined })

/** The maximum size in bytes. */
const pieceSize = 64 * 1024

/** Finds the tail files among the files of a directory, grouped by output. */
export const tailsAmong = (paths: ReadonlyArray<string>): ReadonlyMap<string, ReadonlyArray<Tail>> => {
  const tails = new Map<string, Array<Tail>>()
  for (const path of paths) {
    const name = readTailName(path)
    if (name === undefined) continue
    const { of, ...tail } = name
    const others = tails.get(of) ?? []
    tails.set(of, others)
    others.push({ ...tail, path })
  }
  for (const ofOne of tails.values()) ofOne.sort((a, b) => a.from - b.from)
  return tails
}

/** The output with its current files. */
export const find = (path: string): Effect.Effect<Output> =>
  Effect.promise(async () => {
    const directory = dirname(path)
    const names = await readdir(directory).catch(() => [])
    const own = names.filter((name) => name.startsWith(basename(path))).map((name) => join(directory, name))
    return { path, tail: tailsAmong(own).get(path) ?? [] }
  })

/** Opening a file neither waits for the writer of a pipe nor follows a link that replaced the file. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

const withFile = async <A>(path: string, f: (file: FileHandle) => Promise<A>): Promise<A | undefined> => {
  const file = await open(path, flags).catch(() => undefined)
  try {
    return file && (await f(file))
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}

/** The current end of the output; undefined if it cannot be read. */
export const size = ({ path, tail }: Output): Effect.Effect<number | undefined> =>
  Effect.promise(async () => {
    const last = tail.at(-1)
    const head = await withFile(path, (file) => file.stat())
    const rest = last && (await withFile(last.path, (file) => file.stat()))
    return last === undefined || rest === undefined ? head?.size : last.from + rest.size
  })

/** Reads bytes; returns none at the end, or if the file is gone. */
const read = async (path: string, at: number, length: number): Promise<Uint8Array> => {
  const bytes = await withFile(path, async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
    return buffer.subarray(0, bytesRead)
  })
  return bytes ?? new Uint8Array()
}

/** The offset in a complete file at which reading continues after a position. */
const offsetOf = async (path: string, { at, head }: Position): Promise<number> => {
  if (head === undefined) return at
  const { length, omitted } = markedAt(Buffer.from(await read(path, head, markerSize)).toString("latin1"))
  return at < head + omitted ? head : at - omitted + length
}

/** The piece after a position beyond the head, from the first tail file that contains it or starts later. */
const nextOfTail = async (tail: ReadonlyArray<Tail>, { at }: Position, length: number): Promise<Piece | undefined> => {
  const next = tail.find((_, index) => at < (tail[index + 1]?.from ?? Infinity))
  if (next === undefined) return undefined
  const begin = Math.max(at, next.from)
  // Report no gap if the file is gone: the next call finds the bytes in the complete file, or the gap before a later tail file.
  const bytes = await read(next.path, begin - next.from, length)
  if (bytes.length === 0) return undefined
  const position = { at: begin + bytes.length, head: next.head }
  return { position, bytes: at < begin ? Buffer.concat([Buffer.from(marker(begin - at)), bytes]) : bytes }
}

/**
 * The piece after a position; undefined if there is none yet. Output that was removed before it could be read is replaced by a line
 * with its size.
 */
export const next = ({ path, tail }: Output, position: Position, max = Infinity): Effect.Effect<Piece | undefined> =>
  Effect.promise(async () => {
    const length = Math.min(max, pieceSize)
    const head = tail[0]?.head ?? Infinity
    if (position.at >= head) return nextOfTail(tail, position, length)
    const at = tail.length > 0 ? position.at : await offsetOf(path, position)
    const bytes = await read(path, at, Math.min(length, head - at))
    return bytes.length === 0 ? undefined : { bytes, position: positionAt(at + bytes.length) }
  })
