/**
 * How a request came in.
 */
import { toIncomingMessage } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"

/** Only a browser names the site of a request, and only the page of the server is let through. */
export const viaOf = (request: HttpServerRequest): "page" | "port" | "socket" => {
  if (request.headers["sec-fetch-site"] !== undefined) return "page"
  return toIncomingMessage(request).socket.remoteAddress === undefined ? "socket" : "port"
}
