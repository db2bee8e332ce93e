/** The failure that an agent reports for a turn. */
export interface FailureReport {
  readonly class: "usageLimit" | "funds" | "auth" | "account" | "network" | "budget"
  /** The agent's own message. */
  readonly message: string
  /** When its limit resets, where a record says so: in seconds since 1970, or in seconds from now. */
  readonly reset?: { readonly at: number } | { readonly in: number } | undefined
}

/** The class of a failure by its HTTP status; undefined if the agent or the task caused the failure. */
const classOfStatus = (status: number | undefined): FailureReport["class"] | undefined => {
  if (status === undefined) return undefined
  if (status === 429) return "usageLimit"
  if (status === 402) return "funds"
  if (status === 401) return "auth"
  return status === 408 || status >= 500 ? "network" : undefined
}

/** The wordings of an agent for each class: a message has the first class one of whose patterns it matches. */
export type Wordings = ReadonlyArray<readonly [FailureReport["class"], ReadonlyArray<RegExp>]>

/** The class of a failure: by its texts if one is known, else by its HTTP status. */
export const classOf = (
  wordings: Wordings,
  texts: ReadonlyArray<string>,
  status: number | undefined
): FailureReport["class"] | undefined =>
  wordings.find(([, patterns]) => patterns.some((pattern) => texts.some((text) => pattern.test(text))))?.[0] ??
  classOfStatus(status)

/** The seconds of a `retry-after` header quoted in a message. */
export const retryAfter = (message: string): { readonly in: number } | undefined => {
  const [, seconds] = /\bretry-after["']?: *["']?(\d{1,7})\b/i.exec(message) ?? []
  return seconds === undefined ? undefined : { in: Number(seconds) }
}
