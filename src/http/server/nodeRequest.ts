/**
 * What a request of one node to another looks like. In a file of its own, so that a server that asks no others loads no client.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"

/** Set on such requests. */
export const nodeHeader = "charlotte-node"

/** A node that is asked by another one asks no third. */
export const isFromNode = ({ headers }: HttpServerRequest): boolean => headers[nodeHeader] !== undefined

/** The part of a log that is wanted. */
export interface Range {
  /** In bytes. */
  readonly from: number
  /** In bytes, exclusive. */
  readonly to: number
  readonly follow: boolean
}
