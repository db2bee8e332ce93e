/**
 * Turns every error and defect into a JSON response that discloses no internals, and adds the headers common to all responses.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { RequestError, RouteNotFound } from "@effect/platform/HttpServerError"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Context, Effect, Option, Schema } from "effect"
import * as errorSchemas from "../contract/errorSchemas.js"
import { InternalError, NoSuchRoute, RequestRefused } from "../contract/errors.js"
import { version, versionHeader } from "../contract/Version.js"

type Respond = (error: unknown) => Option.Option<HttpServerResponse.HttpServerResponse>

const respondWith = <A, I>(failure: Schema.Schema<A, I>): Respond => {
  const status = HttpApiSchema.getStatusError(failure)
  const is = Schema.is(failure)
  const encode = Schema.encodeSync(failure)
  return (error) => (is(error) ? Option.some(HttpServerResponse.unsafeJson(encode(error), { status })) : Option.none())
}

/** Errors outside the handlers, which encode their own. */
const responses: ReadonlyArray<Respond> = [
  respondWith(errorSchemas.Forbidden),
  respondWith(errorSchemas.InternalError),
  respondWith(errorSchemas.Malformed),
  respondWith(errorSchemas.NoSuchRoute),
  respondWith(errorSchemas.NotJson),
  respondWith(errorSchemas.ShuttingDown),
  respondWith(errorSchemas.TooLarge),
  respondWith(errorSchemas.TooManyHeaders),
  respondWith(errorSchemas.Unauthorized),
  respondWith(errorSchemas.VersionMismatch)
]

const responseTo: Respond = (error) => Option.firstSomeOf(responses.map((respond) => respond(error)))

const common = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  [versionHeader]: version
}

/** The policy of a server without a page; the docs page has its own. */
export const contentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** The policy of a server with a page: only what it serves itself is loaded and executed, and no text becomes HTML. */
export const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"

interface Manner {
  /** Close the connection after this response. */
  readonly isLast: boolean
  /** The default of `content-security-policy`. */
  readonly policy: string
}

const headersOf = ({ headers, status }: HttpServerResponse.HttpServerResponse, { isLast, policy }: Manner) => ({
  "content-security-policy": policy,
  ...headers,
  ...common,
  ...(isLast && { connection: "close" }),
  ...(status === 401 && { "www-authenticate": "Bearer" }),
  ...(status === 503 && { "retry-after": "5" })
})

/**
 * A hot path: writes head and body at once, without waiting for the client. Streams, and responses with a handler to run before
 * they are sent, are left to the platform's server.
 */
const send = (response: HttpServerResponse.HttpServerResponse, manner: Manner) =>
  Effect.withFiberRuntime<HttpServerResponse.HttpServerResponse, never, HttpServerRequest>((fiber) => {
    const { body, status } = response
    const headers = headersOf(response, manner)
    const isWhole = body._tag === "Uint8Array" || (body._tag === "Raw" && typeof body.body === "string")
    if (!isWhole || Option.isSome(fiber.getFiberRef(HttpApp.currentPreResponseHandlers))) {
      return Effect.succeed(HttpServerResponse.setHeaders(response, headers))
    }
    const to = toServerResponse(Context.unsafeGet(fiber.currentContext, HttpServerRequest))
    if (!to.headersSent) to.writeHead(status, headers).end(body.body)
    return Effect.succeed(response)
  })

/** The platform reads the bodies of most endpoints, up to the limit that `readJsonBody.limits` sets. */
const refusedBody = (error: unknown): unknown => {
  if (!(error instanceof RequestError) || !(error.cause instanceof Error)) return error
  if (error.cause instanceof SyntaxError) return new RequestRefused({ reason: "json" })
  return error.cause.message === "maxBytes exceeded" ? new RequestRefused({ reason: "size" }) : error
}

/** Responds to every error and defect. */
const orErrorResponse = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<never, R> =>
  Effect.catchAllCause(app, (cause) => {
    // The client disconnected, or the server shuts down.
    if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
    return Effect.gen(function* () {
      const { method, url } = yield* HttpServerRequest
      const error = Cause.squash(cause)
      const response = responseTo(
        error instanceof RouteNotFound ? new NoSuchRoute({ method, path: pathOf(url) }) : refusedBody(error)
      )
      if (Option.isSome(response)) return response.value
      yield* Effect.logError(`unexpected error in ${method} ${pathOf(url)}`, cause)
      return yield* Effect.orDie(responseTo(new InternalError()))
    })
  })

/** `isLast`: whether to close the connection after the response. */
export const withErrorResponses =
  (isLast: Effect.Effect<boolean>, policy = contentSecurityPolicy) =>
  <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<never, R> =>
    Effect.flatMap(orErrorResponse(app), (response) =>
      Effect.flatMap(isLast, (isLast) => send(response, { isLast, policy }))
    )

/** The same for a page in a router of an application, whose middleware may change the response. */
export const ofPage = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<never, R> =>
  Effect.map(orErrorResponse(app), (response) =>
    HttpServerResponse.setHeaders(response, {
      "content-security-policy": pageSecurityPolicy,
      ...common,
      ...(response.status === 503 && { "retry-after": "5" })
    })
  )

/** Without the query, which may contain anything. */
const pathOf = (url: string): string => url.split("?", 1)[0] ?? url
