/**
 * Reads JSON bodies of limited size and depth.
 */
import { toIncomingMessage, toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import { Size } from "@effect/platform/FileSystem"
import { type HttpServerRequest, MaxBodySize } from "@effect/platform/HttpServerRequest"
import type { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import { Context, Effect, Option, Schema } from "effect"
import { RequestRefused } from "../contract/errors.js"
import { decodeErrorFromParseError } from "./decodeErrors.js"

export const defaultMaxBody = 1024 * 1024

/** Maximum size of a body in bytes. */
export class MaxBody extends Context.Reference<MaxBody>()("charlotte/http/MaxBody", {
  defaultValue: () => defaultMaxBody
}) {}

/** The maximum size, for what this module reads, and for what the platform reads. */
export const limits = (maxBody: number): Context.Context<MaxBody> =>
  Context.make(MaxBody, maxBody).pipe(Context.add(MaxBodySize, Option.some(Size(maxBody))))

/** When the client disconnects, the handler is interrupted. */
const read = (request: HttpServerRequest, limit: number): Effect.Effect<Buffer, RequestRefused> =>
  Effect.async((resume) => {
    const source = toIncomingMessage(request)
    const pieces: Array<Buffer> = []
    let size = 0

    const onData = (piece: Buffer): void => {
      size += piece.length
      pieces.push(piece)
      if (size > limit) done(Effect.fail(new RequestRefused({ reason: "size" })))
    }
    const onEnd = (): void => done(Effect.succeed(Buffer.concat(pieces)))
    const done = (result: Effect.Effect<Buffer, RequestRefused>): void => {
      source.off("data", onData).off("end", onEnd)
      // Discard the rest, so that the client reads the response.
      source.resume()
      resume(result)
    }

    source.on("data", onData).on("end", onEnd)
    // Without a listener an error would crash the process.
    source.on("error", () => {})
    // Expect: 100-continue.
    if (request.headers["expect"] !== undefined) toServerResponse(request).writeContinue()
    return Effect.sync(() => source.off("data", onData).off("end", onEnd))
  })

export const checkContentLength = (request: HttpServerRequest, limit: number): RequestRefused | undefined =>
  Number(request.headers["content-length"] ?? 0) > limit ? new RequestRefused({ reason: "size" }) : undefined

const readBody = Effect.fnUntraced(function* (request: HttpServerRequest) {
  const limit = yield* MaxBody
  const refusal = checkContentLength(request, limit)
  return refusal === undefined ? yield* read(request, limit) : yield* refusal
})

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Schemas decode recursively, and the stack overflows at some thousands of levels. */
const maxDepth = 100

const isTooDeep = (body: Buffer): boolean => {
  let depth = 0
  let inString = false
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at]
    if (inString) {
      if (byte === 0x5c) at += 1
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1
      if (depth > maxDepth) return true
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1
  }
  return false
}

const parse = (body: Buffer): Effect.Effect<unknown, RequestRefused> =>
  isTooDeep(body)
    ? new RequestRefused({ reason: "depth" })
    : Effect.try({
        try: (): unknown => JSON.parse(decoder.decode(body)),
        catch: () => new RequestRefused({ reason: "json" })
      })

export const readJsonBody = (request: HttpServerRequest): Effect.Effect<unknown, RequestRefused> =>
  Effect.flatMap(readBody(request), parse)

/** Decodes the body. An empty one is decoded as `undefined`, so that the error names what the schema expects. */
export const decodeJsonBody = <A, I>(
  schema: Schema.Schema<A, I>
): ((request: HttpServerRequest) => Effect.Effect<A, RequestRefused | HttpApiDecodeError>) => {
  const decodeUnknown = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })
  return (request) =>
    Effect.gen(function* () {
      const body = yield* readBody(request)
      const value = body.length === 0 ? undefined : yield* parse(body)
      return yield* Effect.mapError(decodeUnknown(value), decodeErrorFromParseError)
    })
}
