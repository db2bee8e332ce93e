/**
 * Begins a session with the one-time code that `charlotte open` put into the address.
 */
import { sendPublic } from "../api/request.js"
import { decodeSession, type Session } from "./session.js"

export const begin = async (code: string): Promise<Session> => {
  const found = await sendPublic("/api/v1/session", { method: "POST", body: { code } })
  return decodeSession(await found.json(), "")
}
