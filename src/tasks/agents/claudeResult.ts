/**
 * Reads why a turn of Claude Code failed, from the records of `--output-format stream-json`: its `result`, and the last
 * `rate_limit_event` before it.
 */
import { Option, Schema } from "effect"
import { classOfStatus, type FailureReport, retryAfter } from "./FailureReport.js"

/** The end of the turn. With `is_error`, only a request that failed for good has a text: the client's message, not the model's. */
const Result = Schema.Struct({
  type: Schema.Literal("result"),
  is_error: Schema.Boolean,
  result: Schema.optional(Schema.String),
  api_error_status: Schema.optional(Schema.NullOr(Schema.Number))
})

/** The state of the usage limits; also reported for requests that were served. */
const RateLimitEvent = Schema.Struct({
  type: Schema.Literal("rate_limit_event"),
  rate_limit_info: Schema.Struct({
    status: Schema.optional(Schema.String),
    /** In seconds since 1970. */
    resetsAt: Schema.optional(Schema.NullOr(Schema.Number)),
    /** The request was served beyond the limit, at extra cost. */
    isUsingOverage: Schema.optional(Schema.NullOr(Schema.Boolean)),
    overageStatus: Schema.optional(Schema.NullOr(Schema.String))
  })
})

const decode = Schema.decodeOption(Schema.parseJson(Schema.Union(Result, RateLimitEvent)))

export const read = (lines: ReadonlyArray<string>): Option.Option<FailureReport> => {
  const records = lines.flatMap((line) => Option.toArray(decode(line)))
  const result = records.findLast((record) => record.type === "result")
  const event = records.findLast((record) => record.type === "rate_limit_event")
  if (result?.type !== "result" || !result.is_error || result.result === undefined) return Option.none()
  const message = result.result.trim()
  return Option.orElse(limitLine(message), () => {
    const rejected = event?.type === "rate_limit_event" ? rejection(event) : undefined
    const status = result.api_error_status ?? statusIn(message)
    const name = classOfStatus(status) ?? classIn(message) ?? (status === undefined ? rejected?.class : undefined)
    if (name === undefined) return Option.none()
    const reset = name === "usageLimit" ? (rejected?.reset ?? retryAfter(message)) : undefined
    return Option.some({ class: name, message, reset })
  })
}

/** Reads the line with which versions before 2 report a usage limit, if the text has nothing else. */
export const limitLine = (text: string): Option.Option<FailureReport> => {
  const [message, at] = /^Claude AI usage limit reached\|(\d{1,13})$/.exec(text) ?? []
  return message === undefined
    ? Option.none()
    : Option.some({ class: "usageLimit", message: "Claude AI usage limit reached", reset: { at: Number(at) } })
}

const rejection = ({ rate_limit_info: info }: typeof RateLimitEvent.Type) => {
  const isServed = info.isUsingOverage === true && info.overageStatus !== "rejected"
  if (info.status !== "rejected" || isServed) return undefined
  const { resetsAt } = info
  return { class: "usageLimit" as const, reset: typeof resetsAt === "number" ? { at: resetsAt } : undefined }
}

/** Reads a status as in `API Error: 529 {"type":"error",…}`, also after the advice to log in. */
const statusIn = (message: string): number | undefined => {
  const [, status] = /^(?:[^:|{]{0,60} · |Failed to authenticate\. )?API Error:? \(?(\d{3})\b/.exec(message) ?? []
  return status === undefined ? undefined : Number(status)
}

const known: ReadonlyArray<readonly [FailureReport["class"], ReadonlyArray<RegExp>]> = [
  [
    "usageLimit",
    [
      /^Claude usage limit reached\b/,
      /^You['’]ve (hit|reached) your (\w+ ){0,2}limit\b/,
      /^((5-hour|Session|Weekly|Opus|Opus weekly|Sonnet weekly) limit|Limit) reached [·∙•]/i
    ]
  ],
  [
    "auth",
    [
      /^(Invalid|Missing) API key [·∙•]/,
      /^(Not logged in|OAuth token (revoked|has expired)|OAuth session expired)\b.*\/login\b/,
      /^(Please run \/login)\b/
    ]
  ],
  [
    "network",
    [
      /^API Error:? \(?(Connection error|Request timed out)\b/,
      /^(Unable to connect to API|Request timed out)\b/,
      /^(API Error: )?Repeated (529 )?Overloaded errors\b/
    ]
  ]
]

const classIn = (message: string): FailureReport["class"] | undefined =>
  known.find(([, patterns]) => patterns.some((pattern) => pattern.test(message)))?.[0]
