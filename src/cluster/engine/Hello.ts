/**
 * The line with which a node opens a connection to another node: its address, and a proof that it knows the secret of the cluster.
 * The proof covers both addresses, so that an overheard line opens no connection to another node.
 */
import { Redacted } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"

/** A connection from one node to another, by their addresses. */
export interface Call {
  readonly caller: string
  readonly called: string
}

/** Maximum length, longer than any line: a host name has at most 253 characters. */
export const maxLength = 512

/** Without a secret, which only loopback allows, the proof uses an empty one. */
const proof = (secret: Redacted.Redacted | undefined, { called, caller }: Call): string =>
  createHmac("sha256", secret === undefined ? "" : Redacted.value(secret))
    .update(`charlotte engine ${called} ${caller}`)
    .digest("hex")

export const line = (secret: Redacted.Redacted | undefined, call: Call): string =>
  `${call.caller} ${proof(secret, call)}`

/** The address of the caller; undefined if the line does not prove that it knows the secret. */
export const callerOf = (secret: Redacted.Redacted | undefined, called: string, line: string): string | undefined => {
  const [caller = "", given = ""] = line.split(" ")
  const [found, expected] = [given, proof(secret, { called, caller })].map((text) => Buffer.from(text))
  return found !== undefined && expected?.length === found.length && timingSafeEqual(found, expected)
    ? caller
    : undefined
}
