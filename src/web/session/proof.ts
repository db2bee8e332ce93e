/**
 * Whether the server at this address knows the session. Any program on this machine may have taken the port while the daemon was
 * stopped, so the server must prove it before the page sends the token.
 */
import { string, struct } from "../api/decode.js"
import { sendPublic } from "../api/request.js"
import type { Session } from "./session.js"

const encoder = new TextEncoder()

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const fromHex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16))

/** Whether a proof is the HMAC-SHA-256 of the nonce with the token as the key; compared in constant time. */
export const isProof = async (token: string, nonce: string, proof: string): Promise<boolean> => {
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const key = await crypto.subtle.importKey("raw", encoder.encode(token), algorithm, false, ["verify"])
  return crypto.subtle.verify("HMAC", key, fromHex(proof), encoder.encode(nonce))
}

const response = struct({ proof: string })

export const prove = async ({ id, token }: Session, signal: AbortSignal): Promise<boolean> => {
  const nonce = toHex(crypto.getRandomValues(new Uint8Array(32)))
  const found = await sendPublic("/api/v1/session/proof", { method: "POST", body: { id, nonce }, signal })
  return isProof(token, nonce, response(await found.json(), "").proof)
}
