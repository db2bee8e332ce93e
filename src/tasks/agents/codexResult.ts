/**
 * Reads why a turn of Codex failed, from the records of `codex exec --json`: the `turn.failed` that ends it, or else its last
 * `error`.
 */
import { Option, Schema } from "effect"
import { classOfStatus, type FailureReport, retryAfter } from "./FailureReport.js"

const limit = {
  type: Schema.optional(Schema.NullOr(Schema.String)),
  /** In seconds since 1970. */
  resets_at: Schema.optional(Schema.NullOr(Schema.Number)),
  resets_in_seconds: Schema.optional(Schema.NullOr(Schema.Number))
}

const TurnRecord = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("turn.failed"),
    error: Schema.Struct({ message: Schema.String, ...limit })
  }),
  Schema.Struct({ type: Schema.Literal("error"), message: Schema.String }),
  Schema.Struct({ type: Schema.Literal("turn.started", "turn.completed") })
)

/** The response of the service, as quoted in a message. */
const Body = Schema.Struct({ error: Schema.Struct(limit) })

type Limit = (typeof Body.Type)["error"]

const decode = Schema.decodeOption(Schema.parseJson(TurnRecord))
const decodeBody = Schema.decodeOption(Schema.parseJson(Body))

export const read = (lines: ReadonlyArray<string>): Option.Option<FailureReport> => {
  const last = lines.flatMap((line) => Option.toArray(decode(line))).at(-1)
  switch (last?.type) {
    case "turn.failed":
      return ofMessage(last.error.message.trim(), last.error)
    case "error":
      return ofMessage(last.message.trim(), {})
    default:
      return Option.none()
  }
}

const ofMessage = (message: string, own: Limit): Option.Option<FailureReport> => {
  const answered = Option.getOrElse(body(message), (): Limit => ({}))
  const name =
    own.type === "usage_limit_reached" || answered.type === "usage_limit_reached"
      ? "usageLimit"
      : (classOfStatus(statusIn(message)) ?? classIn(message))
  if (name === undefined) return Option.none()
  const reset = resetOf(own) ?? resetOf(answered) ?? waitIn(message) ?? retryAfter(message)
  return Option.some({ class: name, message, reset: name === "usageLimit" ? reset : undefined })
}

/** Reads the body as in `unexpected status 429 Too Many Requests: {"error":{"type":"usage_limit_reached",…}}, request id: …`. */
const body = (message: string): Option.Option<Limit> =>
  Option.map(decodeBody(message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1)), ({ error }) => error)

const resetOf = ({ resets_at: at, resets_in_seconds: seconds }: Limit): FailureReport["reset"] => {
  if (typeof at === "number") return { at }
  return typeof seconds === "number" ? { in: seconds } : undefined
}

const statusIn = (message: string): number | undefined => {
  const [, status] = /^(?:exceeded retry limit, last status:|unexpected status) (\d{3})\b/.exec(message) ?? []
  return status === undefined ? undefined : Number(status)
}

const units: { readonly [unit: string]: number } = { day: 86_400, hour: 3_600, minute: 60 }

/** Reads a time as in `try again in 2 days 17 hours 14 minutes.`, which is rounded down to the minute. */
const waitIn = (message: string): FailureReport["reset"] => {
  const [, text] = /\btry again in ((?:\d+ (?:day|hour|minute)s? ?)+)\.$/.exec(message) ?? []
  if (text === undefined) return undefined
  const parts = [...text.matchAll(/(\d+) (day|hour|minute)/g)]
  return { in: parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0), 60) }
}

const known: ReadonlyArray<readonly [FailureReport["class"], RegExp]> = [
  ["usageLimit", /^You['’]ve hit your usage limit\b/],
  [
    "auth",
    /^Your (access token could not be refreshed|session has expired|authentication token has been invalidated)\b/
  ],
  ["network", /^(stream disconnected before completion|error sending request for url|connection failed)\b/i],
  ["network", /^(We['’]re currently experiencing high demand|Selected model is at capacity)\b/]
]

const classIn = (message: string): FailureReport["class"] | undefined =>
  known.find(([, pattern]) => pattern.test(message))?.[0]
