/** The failure that an agent reports for a turn. */
export interface FailureReport {
  readonly class: "usageLimit" | "auth" | "network"
  /** The agent's own message. */
  readonly message: string
  /** When its usage limit resets: in seconds since 1970, or in seconds from now. */
  readonly reset?: { readonly at: number } | { readonly in: number } | undefined
}

/** The class of a failure by its HTTP status; undefined if the agent or the task caused the failure. */
export const classOfStatus = (status: number | undefined): FailureReport["class"] | undefined => {
  if (status === undefined) return undefined
  if (status === 429) return "usageLimit"
  if (status === 401) return "auth"
  return status === 408 || status >= 500 ? "network" : undefined
}

/** The seconds of a `retry-after` header quoted in a message. */
export const retryAfter = (message: string): { readonly in: number } | undefined => {
  const [, seconds] = /\bretry-after["']?: *["']?(\d{1,7})\b/i.exec(message) ?? []
  return seconds === undefined ? undefined : { in: Number(seconds) }
}
