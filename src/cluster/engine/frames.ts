/**
 * Frames are one JSON text per line. The serialization of `@effect/rpc` 0.76.2 decodes each chunk of bytes separately, which breaks
 * characters at the edges of chunks, and keeps a line that is not JSON, so that its memory is unbounded.
 */
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Data, Layer } from "effect"

/** Maximum number of characters of a request: an id, a kind and a few words. */
export const maxRequest = 4 * 1024

/** Maximum number of characters of a response. A report names at most 100 processes; the rest is a few hundred bytes. */
export const maxAnswer = 256 * 1024

/** A malformed frame. Its tag makes the server close the connection, as for a frame that is too long. */
class Malformed extends Data.TaggedError("RpcSerializationError")<{ readonly message: string }> {}

const decodeLine = (line: string): object => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Malformed({ message: "a frame is not JSON" })
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Malformed({ message: "a frame is not an object" })
  }
  return value
}

const parser = (maxFrame: number): RpcSerialization.Parser => {
  const decoder = new TextDecoder()
  let rest = ""
  return {
    decode: (data) => {
      const lines = (rest + (typeof data === "string" ? data : decoder.decode(data, { stream: true }))).split("\n")
      rest = lines.pop() ?? ""
      if (rest.length > maxFrame || lines.some((line) => line.length > maxFrame)) {
        rest = ""
        throw new Malformed({ message: `a frame is longer than ${maxFrame} characters` })
      }
      return lines.map(decodeLine)
    },
    encode: (message) =>
      (Array.isArray(message) ? message : [message]).map((item: unknown) => `${JSON.stringify(item)}\n`).join("")
  }
}

/** Refuses longer frames and closes their connection. */
export const layer = (maxFrame: number): Layer.Layer<RpcSerialization.RpcSerialization> =>
  Layer.succeed(
    RpcSerialization.RpcSerialization,
    RpcSerialization.RpcSerialization.of({
      contentType: "application/ndjson",
      includesFraming: true,
      unsafeMake: () => parser(maxFrame)
    })
  )
