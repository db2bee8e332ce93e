/**
 * The stream of the events of all jobs, opened after the server has proved that it knows the session.
 */
import { sendTrusting } from "../api/request.js"
import { type Frame, makeParser } from "./sse.js"

export interface Stream {
  /** The cursor after which the stream begins. */
  readonly position: number
  /** Frames as they arrive; an empty batch is a heartbeat. Ends with the connection. */
  readonly frames: AsyncIterable<ReadonlyArray<Frame>>
}

async function* read(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ReadonlyArray<Frame>> {
  const parse = makeParser()
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield parse(value)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

export const open = async (after: number | "latest", signal: AbortSignal): Promise<Stream> => {
  const { body, headers } = await sendTrusting(`/api/v1/events?after=${after}`, { signal })
  if (body === null) throw new Error("the stream of events is empty")
  return { position: Number(headers.get("last-event-id") ?? after), frames: read(body) }
}
