/**
 * Reads why a turn of Claude Code failed, from the records of `--output-format stream-json`: its `result`, and the last
 * `rate_limit_event` before it.
 */
import { Option, Schema } from "effect"
import { classOf, type FailureReport, retryAfter, statusIn } from "./FailureReport.js"

/** The end of the turn. With `is_error`, only a request that failed for good has a text: the client's message, not the model's. */
const Result = Schema.Struct({
  type: Schema.Literal("result"),
  is_error: Schema.Boolean,
  subtype: Schema.optional(Schema.String),
  result: Schema.optional(Schema.String),
  errors: Schema.optional(Schema.NullOr(Schema.Array(Schema.String))),
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
  if (result?.type !== "result") return Option.none()
  // `--max-budget-usd`; versions differ in whether that is an error.
  if (result.subtype === "error_max_budget_usd") {
    const message = [result.errors?.join("; "), result.result].find((text) => text)?.trim()
    return Option.some({ class: "budget", message: message ?? "Reached maximum budget" })
  }
  // Without a text, an execution that broke off lists its errors.
  const text = result.result ?? result.errors?.join("; ")
  if (!result.is_error || text === undefined) return Option.none()
  const message = text.trim()
  return Option.orElse(limitLine(message), () => {
    const rejected = records.flatMap((record) =>
      record.type === "rate_limit_event" && isRejection(record) ? [record.rate_limit_info] : []
    )
    const status = result.api_error_status ?? statusIn(message)
    const name =
      classOf(message, quotedIn(message), status) ??
      (status === undefined && result.result !== undefined && rejected.length > 0 ? "usageLimit" : undefined)
    const at = rejected.at(-1)?.resetsAt
    return Option.some({ class: name, message, reset: typeof at === "number" ? { at } : retryAfter(message) })
  })
}

/** Reads the line with which versions before 2 report a usage limit, if the text has nothing else. */
export const limitLine = (text: string): Option.Option<FailureReport> => {
  const [message, at] = /^Claude AI usage limit reached\|(\d{1,13})$/.exec(text) ?? []
  return message === undefined
    ? Option.none()
    : Option.some({ class: "usageLimit", message: "Claude AI usage limit reached", reset: { at: Number(at) } })
}

const isRejection = ({ rate_limit_info: info }: typeof RateLimitEvent.Type): boolean =>
  info.status === "rejected" && (info.isUsingOverage !== true || info.overageStatus === "rejected")

const Body = Schema.parseJson(Schema.Struct({ error: Schema.Struct({ message: Schema.String }) }))

/** The message of the response that a message quotes. */
const quotedIn = (message: string): ReadonlyArray<string> =>
  Option.toArray(
    Option.map(
      Schema.decodeOption(Body)(message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1)),
      ({ error }) => error.message
    )
  )
