/** What an agent reports of a turn that failed. */
export interface FailureReport {
  readonly class: "usageLimit" | "auth" | "network"
  /** In its own words. */
  readonly message: string
  /** When its usage limit resets, in seconds since 1970, or from now on. */
  readonly reset?: { readonly at: number } | { readonly in: number } | undefined
}

/** The class of a failure by its HTTP status; undefined for one that the agent or the task has caused. */
export const classOfStatus = (status: number | undefined): FailureReport["class"] | undefined => {
  if (status === undefined) return undefined
  if (status === 429) return "usageLimit"
  if (status === 401) return "auth"
  return status === 408 || status >= 500 ? "network" : undefined
}

/** Seconds of a `retry-after` header that a message quotes. */
export const retryAfter = (message: string): { readonly in: number } | undefined => {
  const [, seconds] = /\bretry-after["']?: *["']?(\d{1,7})\b/i.exec(message) ?? []
  return seconds === undefined ? undefined : { in: Number(seconds) }
}
