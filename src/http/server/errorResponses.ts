/**
 * The answer to whatever happens to a request: always one that can be read, and nothing of ours in it that is not meant to be.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { RouteNotFound } from "@effect/platform/HttpServerError"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Context, Effect, Option, Schema } from "effect"
import * as Failure from "../contract/errorSchemas.js"
import { InternalError, NoSuchRoute } from "../contract/errors.js"
import { version, versionHeader } from "../contract/Version.js"

type Answer = (error: unknown) => Option.Option<HttpServerResponse.HttpServerResponse>

const answer = <A, I>(failure: Schema.Schema<A, I>): Answer => {
  const status = HttpApiSchema.getStatusError(failure)
  const is = Schema.is(failure)
  const encode = Schema.encodeSync(failure)
  return (error) => (is(error) ? Option.some(HttpServerResponse.unsafeJson(encode(error), { status })) : Option.none())
}

/** What may go wrong outside the handlers, which encode their own errors. */
const answers: ReadonlyArray<Answer> = [
  answer(Failure.Forbidden),
  answer(Failure.InternalError),
  answer(Failure.Malformed),
  answer(Failure.NoSuchRoute),
  answer(Failure.NotJson),
  answer(Failure.ShuttingDown),
  answer(Failure.TooLarge),
  answer(Failure.TooManyHeaders),
  answer(Failure.Unauthorized),
  answer(Failure.VersionMismatch)
]

const answerTo: Answer = (error) => Option.firstSomeOf(answers.map((answer) => answer(error)))

const common = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  [versionHeader]: version
}

/** A page that needs more says so itself. */
const policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const isUnauthorized = Schema.is(Failure.Unauthorized)
const isForDocs = (url: string): boolean => pathOf(url) === "/docs"
const acceptsHtml = (headers: HttpServerRequest["headers"]): boolean =>
  headers["accept"]?.includes("text/html") ?? false

/** A browser cannot send the token. */
const unauthorizedPage = HttpServerResponse.text(
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Charlotte</title><h1>401 Unauthorized</h1><p>This server requires its token, which a browser does not send. Save this page instead: <code>curl --unix-socket ~/.charlotte/socket http://localhost/docs &gt; docs.html</code></p></html>',
  { status: 401, contentType: "text/html; charset=utf-8" }
)

/** `isLast`: nothing more is answered on the connection. */
const headersOf = ({ headers, status }: HttpServerResponse.HttpServerResponse, isLast: boolean) => ({
  "content-security-policy": policy,
  ...headers,
  ...common,
  ...(isLast && { connection: "close" }),
  ...(status === 401 && { "www-authenticate": "Bearer" }),
  ...(status === 503 && { "retry-after": "5" })
})

/**
 * A hot path: what is there as a whole goes out here, head and body in one piece, and nobody waits until it has. Where a
 * handler wants to have a look at the answer, or it is a stream, it is for the server to send.
 */
const send = (response: HttpServerResponse.HttpServerResponse, isLast: boolean) =>
  Effect.withFiberRuntime<HttpServerResponse.HttpServerResponse, never, HttpServerRequest>((fiber) => {
    const { body, status } = response
    const headers = headersOf(response, isLast)
    const isWhole = body._tag === "Uint8Array" || (body._tag === "Raw" && typeof body.body === "string")
    if (!isWhole || Option.isSome(fiber.getFiberRef(HttpApp.currentPreResponseHandlers))) {
      return Effect.succeed(HttpServerResponse.setHeaders(response, headers))
    }
    const to = toServerResponse(Context.unsafeGet(fiber.currentContext, HttpServerRequest))
    if (!to.headersSent) to.writeHead(status, headers).end(body.body)
    return Effect.succeed(response)
  })

/** Sends what comes of it; `isLast` tells whether nothing more is answered on the connection. */
export const always =
  (isLast: Effect.Effect<boolean>) =>
  <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<never, R> =>
    Effect.catchAllCause(app, (cause) => {
      // The client is gone, or the server is.
      if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
      return Effect.gen(function* () {
        const { headers, method, url } = yield* HttpServerRequest
        const error = Cause.squash(cause)
        const known = error instanceof RouteNotFound ? new NoSuchRoute({ method, path: pathOf(url) }) : error
        if (isForDocs(url) && isUnauthorized(known) && acceptsHtml(headers)) return unauthorizedPage
        const answer = answerTo(known)
        if (Option.isSome(answer)) return answer.value
        yield* Effect.logError(`a request was not answered: ${method} ${pathOf(url)}`, cause)
        return yield* Effect.orDie(answerTo(new InternalError()))
      })
    }).pipe(Effect.flatMap((response) => Effect.flatMap(isLast, (isLast) => send(response, isLast))))

/** Without the query, in which anything may stand. */
const pathOf = (url: string): string => url.split("?", 1)[0] ?? url
