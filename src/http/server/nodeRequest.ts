/**
 * Requests from one node to another. A separate file, so that a server without other nodes does not load the client.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"

/** The header that marks such requests. */
export const nodeHeader = "charlotte-node"

/** Whether another node sent the request, which is then never forwarded. */
export const isFromNode = ({ headers }: HttpServerRequest): boolean => headers[nodeHeader] !== undefined

/** The requested part of a log. */
export interface Range {
  /** In bytes. */
  readonly from: number
  /** In bytes, exclusive. */
  readonly to: number
  readonly follow: boolean
}
