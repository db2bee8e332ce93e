/**
 * Frames of an event stream. The data of a frame is an event as JSON on one line.
 */
import { Schema } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"

/** Sent first, because the headers go out with the first chunk. */
export const opening = Buffer.from(": charlotte\nretry: 1000\n\n")

/** A comment without an id, so it does not move the client's position. */
export const heartbeat = Buffer.from(": still here\n\n")

/** Sent last when the server shuts down before the stream ends. */
export const shutdown = Buffer.from("event: shutdown\ndata: {}\n\n")

/** The position to resume from: first line of an event's frame, or a separate frame. */
export const position = (id: number): Buffer => Buffer.from(`id: ${id}\n`)

export const blank = Buffer.from("\n")

const encode = Schema.encodeSync(JobEvent)

/** The rest of an event's frame. */
export const data = (event: JobEvent): Buffer => Buffer.from(`data: ${JSON.stringify(encode(event))}\n\n`)
