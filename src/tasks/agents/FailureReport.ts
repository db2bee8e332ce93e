import { type FailureClass, wordings } from "./wordings.js"

/** The failure that an agent reports for a turn. */
export interface FailureReport {
  /** Undefined if the message is of no known kind. */
  readonly class: FailureClass | "budget" | undefined
  /** The agent's own message. */
  readonly message: string
  /** When its limit resets, where a record says so: in seconds since 1970, or in seconds from now. */
  readonly reset?: { readonly at: number } | { readonly in: number } | undefined
  /** Where the message says when the limit resets, if that is known. */
  readonly printed?: string | undefined
}

/** The class of a failure by its HTTP status; undefined if the agent or the task caused the failure. */
const classOfStatus = (status: number | undefined): FailureClass | undefined => {
  if (status === undefined) return undefined
  if (status === 429) return "usageLimit"
  if (status === 402) return "funds"
  if (status === 401) return "auth"
  if (status === 403) return "account"
  return status === 408 || status >= 500 ? "network" : undefined
}

/** What a message can begin with, such as `Please run /login · API Error: 401 ` or `unexpected status 502 Bad Gateway: `. */
const prefix =
  /^(?:[^:|{]{0,60} · |Failed to authenticate[.:] )?(?:\[?(?:\w+ )?\w*Error:? |stream disconnected before completion: |unexpected status \d{3}[^:]*: )*\(?(?:\d{3}\b)?\)?[: ]*/i

/** Reads a status as in `API Error: 529 {"type":"error",…}`, `last status: 503`, `Request rejected (429)` or `{"code":429`. */
export const statusIn = (message: string): number | undefined => {
  const [, status] =
    /(?:\b(?:status(?: code)?|error(?: code)?|HTTP|code)["']?:? ?[([]?|[([]|^)([45]\d\d)(?![\w.])/i.exec(message) ?? []
  return status === undefined ? undefined : Number(status)
}

/** The class of a failure: by its message and the messages that this quotes, if one is known, else by its HTTP status. */
export const classOf = (
  message: string,
  quoted: ReadonlyArray<string>,
  status = statusIn(message)
): FailureClass | undefined => {
  // Clients wrap their lines, and print either apostrophe.
  const texts = [...quoted, message, message.replace(prefix, "")].map((text) =>
    text.replaceAll("’", "'").replace(/\s+/g, " ")
  )
  return (
    wordings.find(([, patterns]) => patterns.some((pattern) => texts.some((text) => pattern.test(text))))?.[0] ??
    classOfStatus(status)
  )
}

/** The seconds of a `retry-after` header quoted in a message. */
export const retryAfter = (message: string): { readonly in: number } | undefined => {
  const [, seconds] = /\bretry-after["']?: *["']?(\d{1,7})\b/i.exec(message) ?? []
  return seconds === undefined ? undefined : { in: Number(seconds) }
}
