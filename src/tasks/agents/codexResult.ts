/**
 * Reads why a turn of Codex failed, from the records of `codex exec --json`: the `turn.failed` that ends it, or else its last
 * `error`.
 */
import { Option, Schema } from "effect"
import { classOf, type FailureReport, retryAfter } from "./FailureReport.js"

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
const Body = Schema.Struct({
  error: Schema.optional(Schema.Struct({ message: Schema.optional(Schema.NullOr(Schema.String)), ...limit })),
  detail: Schema.optional(Schema.String),
  status: Schema.optional(Schema.Number)
})

type Limit = Schema.Struct.Type<typeof limit>

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
  const { detail, error = {}, status } = Option.getOrElse(body(message), (): typeof Body.Type => ({}))
  const quoted = [error.message, detail].filter((text) => typeof text === "string")
  const name =
    own.type === "usage_limit_reached" || error.type === "usage_limit_reached"
      ? "usageLimit"
      : classOf(message, quoted, status)
  return Option.some({ class: name, message, reset: resetOf(own) ?? resetOf(error) ?? retryAfter(message) })
}

/** Reads the body as in `unexpected status 429 Too Many Requests: {"error":{"type":"usage_limit_reached",…}}, request id: …`. */
const body = (message: string): Option.Option<typeof Body.Type> =>
  decodeBody(message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1))

const resetOf = ({ resets_at: at, resets_in_seconds: seconds }: Limit): FailureReport["reset"] => {
  if (typeof at === "number") return { at }
  return typeof seconds === "number" ? { in: seconds } : undefined
}
