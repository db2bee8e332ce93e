/**
 * How the requests to an API find their handlers.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Cause, Effect, Schema } from "effect"
import { maxNameBytes } from "../../domain/RecordedStep.js"
import { decodeErrorFromIssues } from "./decodeErrors.js"

const encodeDecodeError = Schema.encodeSync(HttpApiDecodeError)

/** Replaces the message of decode errors, which is a tree, by one line for each field. */
export const readableDecodeErrors = HttpApiBuilder.middleware((app) =>
  Effect.catchAllCause(app, (cause) => {
    const error: unknown = Cause.squash(cause)
    return error instanceof HttpApiDecodeError
      ? Effect.succeed(
          HttpServerResponse.unsafeJson(encodeDecodeError(decodeErrorFromIssues(error.issues)), { status: 400 })
        )
      : Effect.failCause(cause)
  })
)

/**
 * The router ignores empty path segments by default. Then `/jobs//stop`, from a script with an unset variable, would match the route
 * that stops all jobs.
 */
const exact = {
  ignoreDuplicateSlashes: false,
  ignoreTrailingSlash: false,
  caseSensitive: true,
  // The name of a step, with three characters for each byte.
  maxParamLength: 3 * maxNameBytes
}

export const app = HttpRouter.withRouterConfig(HttpApiBuilder.httpApp, exact)
