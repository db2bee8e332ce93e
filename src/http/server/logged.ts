/**
 * What the log says about requests that change something which no event records: who has asked, and by which door.
 */
import { toIncomingMessage } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Effect } from "effect"

/** Only a browser names the site of a request, and only the page of the server is let through. */
const doorOf = (request: HttpServerRequest): "page" | "port" | "socket" => {
  if (request.headers["sec-fetch-site"] !== undefined) return "page"
  return toIncomingMessage(request).socket.remoteAddress === undefined ? "socket" : "port"
}

/** Names the door in each line that is logged while the request is handled. */
export const withDoor =
  (request: HttpServerRequest) =>
  <A, E, R>(handled: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.annotateLogs(handled, "door", doorOf(request))

/** `by` is a name as claimed. */
export const change = (what: string, by: string | undefined): Effect.Effect<void> =>
  Effect.logInfo(by === undefined ? what : `${what}, by ${by}`)
