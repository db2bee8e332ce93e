/**
 * A file of bounded size for unbounded output: it keeps the head and the tail, and a line between them says how much was omitted.
 *
 * The head is written to the file at once. The tail is written to files beside it, of which the last two are kept, so that a crash
 * leaves it readable and others can follow it: their names contain the offset at which they start. At the end the tail is appended
 * to the head. If the disk fails, the rest of the output is lost, and nothing else.
 */
import { type FileHandle, rm } from "node:fs/promises"
import { createFile } from "./createFile.js"

export interface OutputFile {
  /** Never rejects. Wait until it has resolved before calling it again. */
  readonly append: (chunk: Uint8Array) => Promise<void>
  /** Never rejects. */
  readonly finish: (options: { readonly tail: number }) => Promise<Written>
}

export interface Written {
  /** How many bytes were printed. */
  readonly bytes: number
  /** How many of these bytes were omitted. */
  readonly omitted: number
  /** The size of the file at the end. */
  readonly size: number
  /** The end of the file, up to the requested number of bytes. */
  readonly tail: string
  /** Why output was lost, other than for its size. */
  readonly problem: string | undefined
}

interface Part {
  readonly path: string
  readonly file: FileHandle
  readonly limit: number
  size: number
}

/** The line that replaces omitted output. */
export const marker = (omitted: number): string => `\n[charlotte: ${omitted} bytes of output are left out here]\n`

/** The size of the output that a marker at the start of a text replaces, and the marker's length; both 0 without one. */
export const markedAt = (text: string): { readonly omitted: number; readonly length: number } => {
  const [found = "", omitted = "0"] = /^\n\[charlotte: (\d+) bytes of output are left out here\]\n/.exec(text) ?? []
  return { omitted: Number(omitted), length: found.length }
}

/** The offset in the output at which a tail file starts, and the size of the head. */
export interface TailFile {
  readonly head: number
  readonly from: number
}

const tailEnding = ({ from, head }: TailFile): string => `.tail-${head}-${from}`

/** Parses the name of a tail file; `of` is the name of the output file. */
export const readTailName = (name: string): (TailFile & { readonly of: string }) | undefined => {
  const [, of = "", head, from] = /^(.*)\.tail-(\d+)-(\d+)$/.exec(name) ?? []
  return head === undefined ? undefined : { of, head: Number(head), from: Number(from) }
}

/** The maximum size of the marker in bytes. */
export const markerSize = 128

const copySize = 1024 * 1024

/** Creates the file, or replaces an existing one; rejects if that fails. */
export const make = async (path: string, limit: number): Promise<OutputFile> => {
  const headLimit = Math.floor(limit / 2)
  const tailLimit = Math.max(1, Math.floor((limit - headLimit - markerSize) / 2))

  const create = async (path: string, limit: number): Promise<Part> => ({
    path,
    file: await createFile(path),
    limit,
    size: 0
  })

  const head = await create(path, headLimit)
  /** Output is written to the last part. */
  const tail: Array<Part> = []
  let bytes = 0
  /** How many bytes were written to any file. */
  let written = 0
  let problem: string | undefined

  const write = async (part: Part, chunk: Uint8Array) => {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await part.file.write(chunk, done, chunk.length - done, part.size)
      done += bytesWritten
      part.size += bytesWritten
      written += bytesWritten
    }
  }

  /** The part that has room for more output. */
  const withRoom = async (): Promise<Part> => {
    const last = tail.at(-1) ?? head
    if (last.size < last.limit) return last
    const oldest = tail.length === 2 ? tail.shift() : undefined
    if (oldest !== undefined) {
      await oldest.file.close()
      await rm(oldest.path, { force: true })
    }
    const next = await create(`${path}${tailEnding({ head: head.size, from: written })}`, tailLimit)
    tail.push(next)
    return next
  }

  const guarded = async (f: () => Promise<void>) => {
    try {
      await f()
    } catch (cause) {
      problem ??= cause instanceof Error ? cause.message : String(cause)
    }
  }

  /** How many bytes are kept, over all files. */
  const kept = () => [head, ...tail].reduce((sum, part) => sum + part.size, 0)

  /** Appends the tail to the head. */
  const join = async () => {
    if (kept() < bytes) await write(head, Buffer.from(marker(bytes - kept())))
    const buffer = Buffer.alloc(tail.length === 0 ? 0 : copySize)
    for (const part of tail) {
      for (let at = 0; at < part.size;) {
        const { bytesRead } = await part.file.read(buffer, 0, Math.min(buffer.length, part.size - at), at)
        if (bytesRead === 0) throw new Error(`${part.path} was truncated by another program`)
        await write(head, buffer.subarray(0, bytesRead))
        at += bytesRead
      }
    }
    // Last part first: a reader treats a missing first part as omitted output.
    for (const part of [...tail].reverse()) await rm(part.path, { force: true })
  }

  const readTail = async (length: number) => {
    const at = Math.max(0, head.size - length)
    const { buffer, bytesRead } = await head.file.read(Buffer.alloc(head.size - at), 0, head.size - at, at)
    return buffer.toString("utf8", 0, bytesRead)
  }

  return {
    append: async (chunk) => {
      bytes += chunk.length
      for (let rest = chunk; rest.length > 0 && problem === undefined;) {
        await guarded(async () => {
          const part = await withRoom()
          const fits = rest.subarray(0, part.limit - part.size)
          await write(part, fits)
          rest = rest.subarray(fits.length)
        })
      }
    },
    finish: async (options) => {
      const omitted = bytes - kept()
      let last = ""
      await guarded(join)
      await guarded(async () => {
        last = await readTail(options.tail)
      })
      for (const part of [head, ...tail]) await guarded(() => part.file.close())
      return { bytes, omitted, size: head.size, tail: last, problem }
    }
  }
}
