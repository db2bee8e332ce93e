/**
 * Reads why a turn of Claude Code failed, from the records of `--output-format stream-json`: its `result`, and the last
 * `rate_limit_event` before it.
 */
import { Option, Schema } from "effect"
import { classOf, type FailureReport, retryAfter, type Wordings } from "./FailureReport.js"

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
  if (!result.is_error || result.result === undefined) return Option.none()
  const message = result.result.trim()
  return Option.orElse(limitLine(message), () => {
    const rejected = records.flatMap((record) =>
      record.type === "rate_limit_event" && isRejection(record) ? [record.rate_limit_info] : []
    )
    const status = result.api_error_status ?? statusIn(message)
    const name =
      classOf(wordings, textsIn(message), status) ??
      (status === undefined && rejected.length > 0 ? "usageLimit" : undefined)
    if (name === undefined) return Option.none()
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

/** What a message can begin with, such as `Please run /login · API Error: 401 ` or `API Error: `. */
const prefix = /^(?:[^:|{]{0,60} · |Failed to authenticate[.:] )?(?:API Error:? )?\(?(?:(\d{3})\b)?\)?[: ]*/

/** Reads a status as in `API Error: 529 {"type":"error",…}` or `API Error: Request rejected (429)`. */
const statusIn = (message: string): number | undefined => {
  const [, status] =
    /^(?:[^:|{]{0,60} · |Failed to authenticate\. )?API Error:? (?:Request rejected )?\(?(\d{3})\b/.exec(message) ?? []
  return status === undefined ? undefined : Number(status)
}

const Body = Schema.parseJson(Schema.Struct({ error: Schema.Struct({ message: Schema.String }) }))

/** The message, without its prefix, and the message of the response that it quotes. */
const textsIn = (message: string): ReadonlyArray<string> => {
  const quoted = Schema.decodeOption(Body)(message.slice(message.indexOf("{"), message.lastIndexOf("}") + 1))
  return [message, message.replace(prefix, ""), ...Option.toArray(Option.map(quoted, ({ error }) => error.message))]
}

/**
 * The messages of the client and of its service, as in its error reference (https://code.claude.com/docs/en/errors) and in reports
 * of its users.
 */
const wordings: Wordings = [
  [
    "network",
    [
      /^Server is temporarily limiting requests\b/,
      /^(Connection|Request) (error|timed out|refused|dropped|lost|closed)\b/,
      /^(Unable to connect to API|Can['’]t reach the API server|No internet route|No response from API)\b/,
      /^Couldn['’]t connect through your proxy\b/,
      /^(Repeated (529 )?)?Overloaded\b/,
      /^[\w.-]+( [\d.]+)? is experiencing high load\b/,
      /^(The )?socket( connection)? (is|was|hang|has been)\b/i,
      /^(TypeError:? \(?)?(fetch failed|terminated)\b/,
      /^(Internal server error|Server error mid-response|Response stalled|Your computer went to sleep)\b/,
      /^(The response (stopped arriving|stalled|stream was malformed)|Part of the response never arrived)\b/,
      /^(API returned an empty or malformed response|Streaming response ended before)\b/,
      /^(Content block (not found|already closed)|Stream event unreadable)\b/,
      /^(Could not refresh your login because|Failed to refresh OAuth token:) another Claude Code process\b/,
      /^[^{]*\b(ECONN(RESET|REFUSED|ABORTED)|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENET(UNREACH|DOWN))\b/,
      /^[^{]*\b(UND_ERR_\w+|ConnectionRefused|FailedToOpenSocket)\b/
    ]
  ],
  [
    "funds",
    [
      /^(Your )?credit balance (is )?too low\b/i,
      /^You['’]ve (hit|reached) your [^·|{]*\b(monthly|spend|budget|individual usage)\b/,
      /^You have reached your specified (\w+ )?API usage limits\b/,
      /^(Monthly )?spend limit (reached|unavailable)\b/i
    ]
  ],
  [
    "usageLimit",
    [
      /^Claude( AI)? usage limit reached\b/,
      /^You['’]ve (hit|reached) your ([\w'’.-]+ ){0,5}limits?\b/,
      /^([\w-]+ ){0,3}limit reached [·∙•-]/i,
      /^You['’]re out of extra usage\b/
    ]
  ],
  [
    "account",
    [
      /^(This|Your) organization (has been|is) disabled\b/,
      /^Your organization has disabled (Claude subscription access|API key authentication)\b/,
      /^OAuth authentication is currently not (allowed|supported)\b/,
      /^Your account (does not have access|is on hold|has been (disabled|suspended))\b/,
      /^There['’]s an issue with the selected model\b/,
      /^model: \S+$/,
      /^Model \S+ (is not a recognized model id|not found|is restricted by|is not available)\b/,
      /^Claude [\w .]+ is not available with the Claude [\w ]+ plan\b/,
      /^Claude Code \S+ (does not support this model|is older than the minimum version)/,
      /^(Usage credits|Extra usage) (are |is )?required for (1M|long) context\b/
    ]
  ],
  [
    "auth",
    [
      /^(Invalid|Missing) API key\b/,
      /^(Failed to authenticate: )?(Not logged in|Login expired|OAuth (token|session) (revoked|has expired|has been revoked|expired))\b/,
      /^(Please run \/login|Authentication required|Could not resolve authentication method)\b/,
      /^(Invalid (auth token|ANTHROPIC_CUSTOM_HEADERS|request header from the environment)) ·/,
      /^(Invalid authentication credentials|Your apiKeyHelper script is failing|Claude login not accepted)\b/,
      /^(Anthropic profile login expired|Cloud gateway session expired|Not signed in to the Cloud gateway)\b/,
      /^(AWS|Google Cloud) (credentials expired or invalid|authentication failed)\b/,
      /^(Microsoft Foundry authentication failed|Could not load (AWS|Google Cloud|the default) credentials)\b/
    ]
  ]
]
