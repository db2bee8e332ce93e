/**
 * Reads why a turn of Codex failed, from the records of `codex exec --json`: the `turn.failed` that ends it, or else its last
 * `error`.
 */
import { Option, Schema } from "effect"
import { classOf, type FailureReport, retryAfter, type Wordings } from "./FailureReport.js"

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
      : classOf(wordings, [message, message.replace(prefix, ""), ...quoted], status ?? statusIn(message))
  if (name === undefined) return Option.none()
  return Option.some({ class: name, message, reset: resetOf(own) ?? resetOf(error) ?? retryAfter(message) })
}

/** Reads the body as in `unexpected status 429 Too Many Requests: {"error":{"type":"usage_limit_reached",…}}, request id: …`. */
const body = (message: string): Option.Option<typeof Body.Type> =>
  decodeBody(message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1))

const resetOf = ({ resets_at: at, resets_in_seconds: seconds }: Limit): FailureReport["reset"] => {
  if (typeof at === "number") return { at }
  return typeof seconds === "number" ? { in: seconds } : undefined
}

const statusIn = (message: string): number | undefined => {
  const [, status] = /^(?:exceeded retry limit, last status:|unexpected status) (\d{3})\b/.exec(message) ?? []
  return status === undefined ? undefined : Number(status)
}

/** What comes before the message of the service. */
const prefix = /^(?:unexpected status \d{3}[^:]*|stream disconnected before completion|Fatal error): /

/** The messages of the client (codex-rs/protocol/src/error.rs in https://github.com/openai/codex) and of its service. */
const wordings: Wordings = [
  [
    "funds",
    [
      /^Your workspace is out of credits\b/,
      /^You hit your spend cap\b/,
      /^(Quota exceeded|You exceeded your current quota)\b/,
      /^Your account is not active, please check your billing details\b/
    ]
  ],
  ["usageLimit", [/^You['’]ve (hit|reached) your usage limit\b/, /^The usage limit has been reached\b/]],
  [
    "account",
    [
      /^To use Codex with your ChatGPT plan, upgrade\b/,
      /^The ['`"][^'`"]+['`"] model is not supported\b/,
      /^The (requested )?model ['`"]?[^'`"]+['`"]? (does not exist|requires a newer version)\b/,
      /^(Access blocked by Cloudflare|Country, region, or territory not supported)\b/,
      /^(Your|This) (organization|account) (has been|is) (disabled|deactivated|suspended)\b/
    ]
  ],
  [
    "auth",
    [
      /^Your (access token could not be refreshed|session has expired|authentication token has been invalidated)\b/,
      /^(Failed to refresh your session|Incorrect API key provided|Missing bearer|Not logged in)\b/,
      /^Missing environment variable: `?\w*(API_KEY|TOKEN)\b/
    ]
  ],
  [
    "network",
    [
      /^(stream disconnected before completion|error sending request for url|connection failed)\b/i,
      /^(Error while reading the server response|timeout waiting for)\b/,
      /^(We['’]re currently experiencing high demand|Our servers are currently overloaded)\b/,
      /^Selected model is at capacity\b/
    ]
  ]
]
