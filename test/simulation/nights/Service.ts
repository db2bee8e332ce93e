/**
 * The service of an agent through a night, and what the agent prints about it, in the formats of Claude Code and of Codex.
 */
import type { Random } from "../Random.js"

/** Why the service does not answer for a while. */
export interface Trouble {
  /** In milliseconds of the wall clock. */
  readonly from: number
  readonly to: number
  readonly kind: "limit" | "funds" | "outage" | "unknown" | "login"
  /** The records with which a turn ends. */
  readonly says: ReadonlyArray<object>
}

export interface Service {
  readonly at: (time: number) => Trouble | undefined
  /** When the next trouble begins. */
  readonly nextAfter: (time: number) => number
}

export interface Format {
  readonly named: (session: string, version: string) => object
  /** A message, and what it has cost. */
  readonly said: (text: string, cost?: object) => object
  readonly done: (cost: object) => object
  /** The record with which a turn fails by itself after its model has answered; that of Codex does not say what the turn has cost. */
  readonly failed: (cost: () => object) => object
  readonly resumeWord: string
  readonly trouble: (kind: Trouble["kind"], to: number, random: Random) => ReadonlyArray<object>
}

export const minute = 60_000

/** A wording that no version has had so far. */
const unknownWording = (random: Random): string =>
  `${random.pick(["The model rests until further notice", "Please come back another day", "Your region is being moved"])}, r${random.below(999)}`

const clockTime = (at: number): string => {
  const date = new Date(at)
  const hours = date.getUTCHours()
  const minutes = String(date.getUTCMinutes()).padStart(2, "0")
  return `${hours % 12 === 0 ? 12 : hours % 12}:${minutes}${hours < 12 ? "am" : "pm"} (UTC)`
}

const claudeError = (result: string, tokens = 0): object => ({
  type: "result",
  is_error: true,
  result,
  usage: { output_tokens: tokens }
})

const claude: Format = {
  named: (session, version) => ({
    type: "system",
    subtype: "init",
    session_id: session,
    claude_code_version: version
  }),
  said: (text, cost) => ({
    type: "assistant",
    message: { model: "claude-1", content: [{ type: "text", text }], ...cost }
  }),
  done: (cost) => ({ type: "result", is_error: false, result: "done", usage: { output_tokens: 9 }, ...cost }),
  failed: (cost) => ({ ...claudeError("API Error: 400 the conversation is odd", 9), ...cost() }),
  resumeWord: "--resume",
  trouble: (kind, to, random) => {
    switch (kind) {
      case "limit":
        switch (random.weighted({ record: 2, text: 2, silent: 1 })) {
          case "record":
            return [
              { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: Math.ceil(to / 1_000) } },
              claudeError("You've hit your limit")
            ]
          case "text":
            return [claudeError(`You've hit your session limit · resets ${clockTime(to)}`)]
          case "silent":
            return [claudeError("Claude usage limit reached")]
        }
      case "funds":
        return [claudeError("Credit balance is too low")]
      case "outage":
        return [claudeError("API Error: Connection error.")]
      case "login":
        return [claudeError("Invalid API key · Please run /login")]
      case "unknown":
        return [claudeError(unknownWording(random))]
    }
  }
}

const codexError = (message: string, more: object = {}): object => ({
  type: "turn.failed",
  error: { message, ...more }
})

const codex: Format = {
  named: (session) => ({ type: "thread.started", thread_id: session }),
  said: (text) => ({ type: "item.completed", item: { type: "agent_message", text } }),
  done: (cost) => ({ type: "turn.completed", ...cost }),
  failed: () => codexError("the tool cannot be used twice"),
  resumeWord: "resume",
  trouble: (kind, to, random) => {
    switch (kind) {
      case "limit": {
        const limit = { type: "usage_limit_reached" }
        const stated = random.chance(0.7) ? { ...limit, resets_at: Math.ceil(to / 1_000) } : limit
        return [codexError("The usage limit has been reached", stated)]
      }
      case "funds":
        return [codexError("Your workspace is out of credits")]
      case "outage":
        return [codexError("stream disconnected before completion: error sending request for url")]
      case "login":
        return [codexError("Not logged in")]
      case "unknown":
        return [codexError(unknownWording(random))]
    }
  }
}

export const formats = { claude, codex } as const
export type AgentName = keyof typeof formats
export const names = ["claude", "codex"] as const

/** Troubles, one after another, until the end of the night. */
export const make = (
  random: Random,
  format: Format,
  { from, to: end }: { readonly from: number; readonly to: number }
): Service => {
  const troubles: Array<Trouble> = []
  for (let at = from + random.between(0, 5 * minute); at < end;) {
    const kind = random.weighted({ limit: 5, funds: 1, outage: 2, unknown: 2, login: 0.5 })
    const to = Math.min(end, at + random.between(20_000, (kind === "limit" ? 25 : 15) * minute))
    troubles.push({ kind, from: at, to, says: format.trouble(kind, to, random) })
    at = to + random.between(0, 10 * minute)
  }
  return {
    at: (time) => troubles.find(({ from, to }) => from <= time && time < to),
    nextAfter: (time) => troubles.find(({ from }) => from > time)?.from ?? Infinity
  }
}
