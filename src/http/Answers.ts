/**
 * The answer to whatever happens to a request: always one that can be read, and nothing of ours in it that is not meant to be.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { RouteNotFound } from "@effect/platform/HttpServerError"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Cause, Effect, Option, Schema } from "effect"
import * as Failure from "./contract/Failure.js"
import { InternalError, NoSuchRoute } from "./errors.js"
import { version, versionHeader } from "./Version.js"

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
  answer(Failure.Unauthorized),
  answer(Failure.VersionMismatch)
]

const answerTo: Answer = (error) => Option.firstSomeOf(answers.map((answer) => answer(error)))

const headers = {
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

const finish = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, {
    ...headers,
    "content-security-policy": response.headers["content-security-policy"] ?? policy,
    ...(response.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(response.status === 503 ? { "retry-after": "5" } : {})
  })

export const always = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<never, R> =>
  Effect.catchAllCause(app, (cause) => {
    // The client is gone, or the server is.
    if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
    return Effect.gen(function* () {
      const { method, url } = yield* HttpServerRequest
      const error = Cause.squash(cause)
      const known = error instanceof RouteNotFound ? new NoSuchRoute({ method, path: pathOf(url) }) : error
      const answer = answerTo(known)
      if (Option.isSome(answer)) return answer.value
      yield* Effect.logError(`a request was not answered: ${method} ${pathOf(url)}`, cause)
      return yield* Effect.orDie(answerTo(new InternalError()))
    })
  }).pipe(Effect.map(finish))

/** Without the query, in which anything may stand. */
const pathOf = (url: string): string => url.split("?", 1)[0] ?? url
