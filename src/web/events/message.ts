/**
 * The messages between the tabs of a browser.
 */
import { array, DecodeError, number, oneOf, optional, string, struct } from "../api/decode.js"

/**
 * - `live`: events arrive
 * - `away`: the server does not respond; the connection is retried
 * - `foreign`: what responds at this address does not know the session, and gets no token
 * - `ended`: the session has ended
 */
export type Connection = "connecting" | "live" | "away" | "foreign" | "ended"

export type Message =
  /** A newly opened tab asks for the state of the connection. */
  | { readonly type: "hello" }
  /** A visible tab asks to retry the connection now. */
  | { readonly type: "wake" }
  /** The server has another database than before. */
  | { readonly type: "reset" }
  | { readonly type: "state"; readonly connection: Connection; readonly position: number | undefined }
  /** The events after a cursor and up to another, each as sent by the server. */
  | { readonly type: "events"; readonly after: number; readonly upTo: number; readonly lines: ReadonlyArray<string> }

const kind = struct({ type: oneOf<Message["type"]>({ hello: 0, wake: 0, reset: 0, state: 0, events: 0 }) })

const state = struct({
  connection: oneOf<Connection>({ connecting: 0, live: 0, away: 0, foreign: 0, ended: 0 }),
  position: optional(number)
})

const events = struct({ after: number, upTo: number, lines: array(string) })

/** Undefined for anything else, such as messages of another version of the page. */
export const decodeMessage = (value: unknown): Message | undefined => {
  try {
    const { type } = kind(value, "")
    if (type === "state") return { type, ...state(value, "") }
    if (type === "events") return { type, ...events(value, "") }
    return { type }
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
