/**
 * A connection as the `HttpClient` of Effect, for answers that are read as a whole.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError, ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import { Effect, Inspectable, Option, Stream } from "effect"
import type { IncomingMessage } from "node:http"
import * as Connection from "./Connection.js"

class Answer extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly cookies = Cookies.empty
  readonly remoteAddress = Option.none<string>()
  readonly headers: Headers.Headers
  readonly status: number
  readonly request: HttpClientRequest
  private readonly body: Buffer

  constructor(request: HttpClientRequest, response: IncomingMessage, body: Buffer) {
    super()
    this.request = request
    this.body = body
    this.status = response.statusCode ?? 0
    this.headers = Headers.fromInput(
      Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const)
    )
  }

  private readonly unreadable = (cause: unknown): ResponseError =>
    new ResponseError({ request: this.request, response: this, reason: "Decode", cause })

  get arrayBuffer() {
    return Effect.sync(() => new Uint8Array(this.body).buffer)
  }
  get stream() {
    return Stream.make(this.body)
  }
  get text() {
    return Effect.sync(() => this.body.toString("utf8"))
  }
  get json() {
    return Effect.try({ try: (): unknown => JSON.parse(this.body.toString("utf8")), catch: this.unreadable })
  }
  get urlParamsBody() {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }
  get formData() {
    return Effect.fail(this.unreadable("there are no forms here"))
  }
  toJSON(): unknown {
    return { _id: "charlotte/http/Answer", status: this.status }
  }
}

export const make = (connection: Connection.Connection): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.gen(function* () {
      const { body, headers, method } = request
      if (body._tag !== "Empty" && body._tag !== "Uint8Array") {
        return yield* new RequestError({ request, reason: "Encode", cause: `a body of kind ${body._tag}` })
      }
      const response = yield* connection.open({
        method,
        path: `${url.pathname}${url.search}`,
        headers,
        ...(body._tag === "Uint8Array" ? { body: body.body } : {})
      })
      return new Answer(request, response, yield* Connection.read(response))
    }).pipe(
      Effect.scoped,
      Effect.mapError((cause) =>
        cause instanceof RequestError ? cause : new RequestError({ request, reason: "Transport", cause })
      )
    )
  )
