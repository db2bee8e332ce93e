/**
 * Adds `Retry-After` when the server is at capacity.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect } from "effect"
import { MaxJobsReached, QueueFull, TooManySignals } from "../../domain/errors.js"

const retryAfter = HttpApp.appendPreResponseHandler((_, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", "5"))
)

const isTemporary = (error: unknown): boolean =>
  [MaxJobsReached, QueueFull, TooManySignals].some((temporary) => error instanceof temporary)

export const withRetryAfter = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapError(effect, (error) => (isTemporary(error) ? retryAfter : Effect.void))
