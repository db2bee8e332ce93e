/**
 * Events as frames of an event stream. The fields of a frame are ours; what an event holds stands in its data, as JSON on one
 * line.
 */
import { Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"

/** First of all, so that the headers go out at once. */
export const opening = Buffer.from(": charlotte\nretry: 1000\n\n")

/** So that the other end knows that somebody is there. It has no id: it is nothing to go on from. */
export const heartbeat = Buffer.from(": still here\n\n")

/** The last one, when the server ends before the stream does. */
export const shutdown = Buffer.from("event: shutdown\ndata: {}\n\n")

/** Where to go on from: the first line of an event, or a frame of its own. */
export const position = (id: number): Buffer => Buffer.from(`id: ${id}\n`)

export const blank = Buffer.from("\n")

const encode = Schema.encodeSync(JobEvent)

/** Bytes of encoded events that are kept for whoever comes next. */
const capacity = 4 * 1024 * 1024

/** Encodes the data of events, once for all who read them at about the same time. */
export const makeEncoder = (): ((event: JobEvent) => Buffer) => {
  // In the order in which they were made: the oldest goes first.
  const kept = new Map<number, Buffer>()
  let size = 0
  return (event) => {
    const known = kept.get(event.cursor)
    if (known !== undefined) return known
    const data = Buffer.from(`data: ${JSON.stringify(encode(event))}\n\n`)
    kept.set(event.cursor, data)
    size += data.length
    for (const [cursor, oldest] of kept) {
      if (size <= capacity) break
      kept.delete(cursor)
      size -= oldest.length
    }
    return data
  }
}
