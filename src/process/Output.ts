/**
 * Copies the output of a child from its pipe into its file. It is driven by the events of the pipe, so that the child never
 * waits longer than it takes to write one chunk.
 */
import { Effect } from "effect"
import { readSync } from "node:fs"
import { Socket } from "node:net"
import type { OutputFile, Written } from "./OutputFile.js"

export interface Output {
  /** How many chunks of output were read so far. */
  readonly printed: () => number
  /** Whether the last chunk is still being written; the pipe is not read meanwhile. */
  readonly isBehind: () => boolean
  /** Reads what is in the pipe now, and closes it. Does not wait for processes that still hold the pipe. */
  readonly finish: (options: { readonly tail: number }) => Effect.Effect<Written>
}

/** The maximum capacity of a pipe. */
const pipeSize = 1024 * 1024

/** Drains the pipe at the descriptor `fd`, and closes it at the end. */
export const drain = (fd: number, file: OutputFile): Effect.Effect<Output> => Effect.sync(() => start(fd, file))

const start = (fd: number, file: OutputFile): Output => {
  const pipe = new Socket({ fd, readable: true, writable: false })
  let printed = 0
  let isBehind = false
  let isFinishing = false
  let writing = Promise.resolve()

  pipe.on("data", (chunk: Buffer) => {
    printed++
    isBehind = true
    // One chunk at a time: memory stays small when the disk is slower than the child.
    pipe.pause()
    writing = file.append(chunk).then(() => {
      isBehind = false
      if (!isFinishing) pipe.resume()
    })
  })
  // A broken pipe yields no more output.
  pipe.on("error", () => {})

  const finish = async (options: { readonly tail: number }) => {
    isFinishing = true
    pipe.pause()
    pipe.removeAllListeners("data")
    await writing
    // Synchronous from here until the pipe has been read.
    const rest: Array<Buffer> = []
    for (let chunk: unknown = pipe.read(); Buffer.isBuffer(chunk); chunk = pipe.read()) rest.push(chunk)
    if (!pipe.destroyed) rest.push(...readAll(fd))
    pipe.destroy()
    for (const chunk of rest) await file.append(chunk)
    return file.finish(options)
  }

  return {
    printed: () => printed,
    isBehind: () => isBehind,
    finish: (options) => Effect.promise(() => finish(options))
  }
}

/** Filled and emptied synchronously, so that all outputs can share it. */
const piece = Buffer.alloc(64 * 1024)

/** Reads everything in a non-blocking pipe. */
const readAll = (fd: number): ReadonlyArray<Buffer> => {
  const chunks: Array<Buffer> = []
  try {
    for (let total = 0; total < pipeSize;) {
      const size = readSync(fd, piece)
      if (size === 0) break
      chunks.push(Buffer.from(piece.subarray(0, size)))
      total += size
    }
  } catch {
    // The pipe is empty, but another process still holds the other end.
  }
  return chunks
}
