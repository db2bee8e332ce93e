/**
 * The session of this browser with the daemon. It is in `localStorage` of this origin, because a cookie would be sent to every
 * other server on 127.0.0.1 as well.
 */
import { signal } from "@preact/signals"
import { isMounted } from "../address.js"
import { DecodeError, type Decoded, string, struct } from "../api/decode.js"

const name = "charlotte.session"

export const decodeSession = struct({ id: string, token: string })
export type Session = Decoded<typeof decodeSession>

/** Undefined if the page has to be opened by `charlotte open`. */
export const session = signal<Session | undefined>(undefined)

/** The application knows the person, by a session of its own. */
const ofApplication: Session = { id: "", token: "" }

const restore = (): void => {
  try {
    session.value = decodeSession(JSON.parse(localStorage.getItem(name) ?? "null"), "")
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof SyntaxError)) throw error
    session.value = undefined
  }
}

/** Ends a session that the server no longer knows. */
export const end = (ended: Session): void => {
  if (session.value?.token !== ended.token) return
  localStorage.removeItem(name)
  session.value = undefined
}

/** Takes the one-time code out of the fragment of the address. */
const takeCode = (): string | undefined => {
  const code = new URLSearchParams(location.hash.slice(1)).get("code")
  if (code === null) return undefined
  history.replaceState(null, "", location.pathname + location.search)
  return code
}

/** Restores the session, or begins one with the code in the address. */
export const start = async (begin: (code: string) => Promise<Session>): Promise<void> => {
  if (isMounted) {
    session.value = ofApplication
    return
  }
  const code = takeCode()
  restore()
  // Other tabs follow when a tab begins or ends a session.
  addEventListener("storage", (event) => {
    if (event.key === name || event.key === null) restore()
  })
  if (code === undefined) return
  const begun = await begin(code)
  localStorage.setItem(name, JSON.stringify(begun))
  session.value = begun
}
