/**
 * Reading the body of a request: JSON, and only so much of it.
 */
import { toIncomingMessage, toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Context, Effect } from "effect"
import { RequestRefused } from "./errors.js"

export const defaultMaxBody = 1024 * 1024

/** Bytes that a body may have. */
export class MaxBody extends Context.Reference<MaxBody>()("charlotte/http/MaxBody", {
  defaultValue: () => defaultMaxBody
}) {}

/** Never fails when the client goes away: then the whole handler is interrupted. */
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
      // What is still to come is passed over, so that the client gets to read the answer.
      source.resume()
      resume(result)
    }

    source.on("data", onData).on("end", onEnd)
    // Without a listener an error would be one of the whole process; the response is closed with it.
    source.on("error", () => {})
    // The client asks whether it should send the body at all.
    if (request.headers["expect"] !== undefined) toServerResponse(request).writeContinue()
    return Effect.sync(() => source.off("data", onData).off("end", onEnd))
  })

/** What is wrong with a request that announces more than is taken. */
export const checkLength = (request: HttpServerRequest, limit: number): RequestRefused | undefined =>
  Number(request.headers["content-length"] ?? 0) > limit ? new RequestRefused({ reason: "size" }) : undefined

export const json = (request: HttpServerRequest): Effect.Effect<unknown, RequestRefused> =>
  Effect.gen(function* () {
    const limit = yield* MaxBody
    const refusal = checkLength(request, limit)
    if (refusal !== undefined) return yield* refusal
    const body = yield* read(request, limit)
    return yield* Effect.try({
      try: (): unknown => JSON.parse(decoder.decode(body)),
      catch: () => new RequestRefused({ reason: "json" })
    })
  })

const decoder = new TextDecoder("utf-8", { fatal: true })
