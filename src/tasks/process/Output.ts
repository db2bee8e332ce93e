/**
 * The way of a child's output from its pipe into its file. It is driven by the events of the pipe, and the child waits no
 * longer than one piece takes to be written, whatever it prints and wherever it ends up.
 */
import { Effect, Runtime } from "effect"
import { readSync } from "node:fs"
import { Socket } from "node:net"
import { WallClock } from "../../store/WallClock.js"
import type { OutputFile, Written } from "./OutputFile.js"

export interface Output {
  /** When there was output last, or else when it began; in milliseconds of the `WallClock`. */
  readonly lastAt: () => number
  /** Takes what is in the pipe at that moment, and ends. It waits for nobody who still holds the pipe. */
  readonly finish: (options: { readonly tail: number }) => Effect.Effect<Written>
}

/** The most that a pipe holds. */
const pipeSize = 1024 * 1024

/** Drains the pipe with that descriptor, which is closed at the end. */
export const drain = (fd: number, file: OutputFile): Effect.Effect<Output> =>
  Effect.gen(function* () {
    const { now } = yield* WallClock
    const runtime = yield* Effect.runtime()
    return start(fd, file, () => Runtime.runSync(runtime, now))
  })

const start = (fd: number, file: OutputFile, now: () => number): Output => {
  const pipe = new Socket({ fd, readable: true, writable: false })
  let lastAt = now()
  let isFinishing = false
  let writing = Promise.resolve()

  pipe.on("data", (chunk: Buffer) => {
    lastAt = now()
    // One piece at a time: memory stays small when the disk is slower than the child.
    pipe.pause()
    writing = file.append(chunk).then(() => {
      if (!isFinishing) pipe.resume()
    })
  })
  // Whatever is wrong with the pipe, nothing more will come out of it.
  pipe.on("error", () => {})

  const finish = async (options: { readonly tail: number }) => {
    isFinishing = true
    pipe.pause()
    pipe.removeAllListeners("data")
    await writing
    // From here to the end of the reading nothing else can happen.
    const rest: Array<Buffer> = []
    for (let chunk: unknown = pipe.read(); Buffer.isBuffer(chunk); chunk = pipe.read()) rest.push(chunk)
    if (!pipe.destroyed) rest.push(...readAll(fd))
    pipe.destroy()
    for (const chunk of rest) await file.append(chunk)
    return file.finish(options)
  }

  return { lastAt: () => lastAt, finish: (options) => Effect.promise(() => finish(options)) }
}

/** Filled and emptied at once, so one is enough for all. */
const piece = Buffer.alloc(64 * 1024)

/** All that is in a pipe that does not block. */
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
    // Empty, and somebody still holds the other end.
  }
  return chunks
}
