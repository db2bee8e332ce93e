/**
 * What `claude` and `codex` print when a turn fails, with the page on which each was seen, and the class and the reset that follow
 * from it at 2026-06-10 12:00 UTC. The texts are as printed; only times are moved to that day.
 */
export interface Wording {
  readonly text: string
  /** The HTTP status that the record names beside the text. */
  readonly status?: number
  readonly expected: string
  readonly source: string
}

const claudeCode = (number: number) => `https://github.com/anthropics/claude-code/issues/${number}`
const reference = "https://code.claude.com/docs/en/errors"
const body = (type: string, message: string) => JSON.stringify({ type: "error", error: { type, message } })

export const claude: ReadonlyArray<Wording> = [
  // Limits of a subscription.
  {
    text: "Claude AI usage limit reached|1781100000",
    expected: "usageLimit until 2026-06-10T14:00Z",
    source: claudeCode(2087)
  },
  {
    text: "Claude usage limit reached. Your limit will reset at 1pm (Etc/GMT+5).",
    expected: "usageLimit until 2026-06-10T18:01Z",
    source: claudeCode(2087)
  },
  {
    text: "You've hit your limit · resets 2pm (Asia/Shanghai)",
    status: 429,
    expected: "usageLimit until 2026-06-11T06:01Z",
    source: "https://github.com/paperclipai/paperclip/pull/5776"
  },
  {
    text: "You've hit your session limit · resets 10:30pm (Europe/Berlin)",
    status: 429,
    expected: "usageLimit until 2026-06-10T20:31Z",
    source: claudeCode(79136)
  },
  {
    text: "You've hit your limit · resets Jun 16, 11am (Europe/Berlin)",
    expected: "usageLimit until 2026-06-16T09:01Z",
    source: claudeCode(25583)
  },
  {
    text: "You've hit your limit · resets Jun 12, 11:30am (Asia/Calcutta)",
    expected: "usageLimit until 2026-06-12T06:01Z",
    source: claudeCode(21562)
  },
  {
    text: "You’ve hit your limit for Claude messages. Limits will reset at 9:30 PM.  View your usage details.",
    expected: "usageLimit until 2026-06-10T21:31Z",
    source: claudeCode(80062)
  },
  {
    text: "Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max or turn on /extra-usage",
    expected: "usageLimit until 2026-06-11T01:01Z",
    source: claudeCode(12789)
  },
  { text: "You've hit your weekly limit", expected: "usageLimit", source: reference },
  { text: "You've hit your Opus limit", expected: "usageLimit", source: reference },
  {
    text: "5-hour limit reached - resets 3pm",
    expected: "usageLimit until 2026-06-10T15:01Z",
    source: "https://support.claude.com/en/articles/12466728-understanding-claude-error-messages"
  },
  {
    text: `API Error: 400 ${body("invalid_request_error", "You're out of extra usage. Add more at claude.ai/settings/usage and keep going.")}`,
    status: 400,
    expected: "usageLimit",
    source: claudeCode(45192)
  },
  {
    text: `API Error: 429 ${body("rate_limit_error", "This request would exceed your account's rate limit. Please try again later.")}`,
    expected: "usageLimit",
    source: claudeCode(12789)
  },
  { text: "API Error: Request rejected (429)", expected: "usageLimit", source: reference },

  // Nothing left to spend.
  { text: "Credit balance is too low", status: 400, expected: "funds", source: claudeCode(55469) },
  {
    text: "Credit balance too low · Add funds: https://platform.claude.com/settings/billing",
    expected: "funds",
    source: claudeCode(46277)
  },
  {
    text: `API Error: 400 ${body("invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.")}`,
    status: 400,
    expected: "funds",
    source: claudeCode(54566)
  },
  {
    text: "API Error: 400 You have reached your specified API usage limits. You will regain access on 2026-07-01 at 00:00 UTC.",
    status: 400,
    expected: "funds until 2026-07-01T00:01Z",
    source: "https://platform.claude.com/docs/en/api/rate-limits"
  },
  {
    text: "You've hit your org's monthly spend limit · your session limit resets 10:50pm (Asia/Seoul)",
    status: 429,
    expected: "funds until 2026-06-10T13:51Z",
    source: reference
  },
  { text: "You've hit your org's monthly usage limit", status: 429, expected: "funds", source: reference },
  { text: "You've hit your team's shared budget", expected: "funds", source: reference },
  { text: "You've hit your individual spend limit", expected: "funds", source: reference },
  { text: "API Error: 402 status code (no body)", status: 402, expected: "funds", source: reference },

  // The network and the service.
  {
    text: "API Error: Server is temporarily limiting requests (not your usage limit) · Rate limited",
    status: 429,
    expected: "network",
    source: reference
  },
  { text: "API Error: Overloaded", expected: "network", source: reference },
  { text: "API Error: Repeated 529 Overloaded errors", status: 529, expected: "network", source: reference },
  { text: "API Error: 500 Internal server error", expected: "network", source: reference },
  { text: "Opus is experiencing high load", expected: "network", source: reference },
  {
    text: "API Error: The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()",
    expected: "network",
    source: claudeCode(69036)
  },
  {
    text: "Failed to authenticate. API Error: 403 The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()",
    status: 403,
    expected: "network",
    source: claudeCode(66105)
  },
  { text: "API Error: Connection error.", expected: "network", source: claudeCode(4574) },
  { text: "API Error: fetch failed", expected: "network", source: claudeCode(6596) },
  { text: "API Error: Unable to connect to API (ConnectionRefused)", expected: "network", source: claudeCode(16331) },
  { text: "API Error: getaddrinfo ENOTFOUND api.anthropic.com", expected: "network", source: claudeCode(6596) },
  { text: "Connection refused — is your proxy up? (ECONNREFUSED)", expected: "network", source: reference },
  { text: "API Error: Connection closed mid-response", expected: "network", source: reference },
  { text: "API Error: No response from API", expected: "network", source: reference },
  { text: "Request timed out", expected: "network", source: reference },

  // The account, and its models.
  {
    text: `API Error: 403 ${body("permission_error", "This organization has been disabled.")}`,
    status: 403,
    expected: "account",
    source: reference
  },
  {
    text: "Your organization has disabled Claude subscription access for Claude Code · Use an Anthropic API key instead, or ask your admin to enable access",
    status: 403,
    expected: "account",
    source: claudeCode(83901)
  },
  {
    text: `Please run /login · API Error: 403 ${body("permission_error", "OAuth authentication is currently not allowed for this organization.")}`,
    status: 403,
    expected: "account",
    source: claudeCode(65714)
  },
  {
    text: `API Error: 401 ${body("authentication_error", "OAuth authentication is currently not allowed for this organization.")}`,
    status: 401,
    expected: "account",
    source: claudeCode(6752)
  },
  {
    text: "There's an issue with the selected model (claude-opus-4-6-fast). It may not exist or you may not have access to it. Run --model to pick a different model.",
    status: 404,
    expected: "account",
    source: reference
  },
  {
    text: `API Error: 404 ${body("not_found_error", "model: claude-nope")}`,
    status: 404,
    expected: "account",
    source: "https://platform.claude.com/docs/en/api/errors"
  },
  { text: "Claude Opus is not available with the Claude Pro plan", expected: "account", source: reference },
  {
    text: "Your account is on hold and can't use Claude Code. View details or appeal: https://claude.ai/restricted",
    expected: "account",
    source: reference
  },

  // The login.
  { text: "Invalid API key · Fix external API key", expected: "auth", source: reference },
  { text: "Not logged in · Please run /login", expected: "auth", source: reference },
  { text: "Login expired · Please run /login", expected: "auth", source: reference },
  { text: "Failed to authenticate: OAuth token revoked", expected: "auth", source: reference },
  {
    text: "Failed to authenticate: OAuth session expired and could not be refreshed",
    expected: "auth",
    source: reference
  },
  { text: "API Error: 401 Invalid authentication credentials", expected: "auth", source: reference },
  {
    text: `Please run /login · API Error: 403 {"error":{"type":"forbidden","message":"Request not allowed"}}`,
    status: 403,
    expected: "auth",
    source: claudeCode(50411)
  },
  { text: "AWS credentials expired or invalid", expected: "auth", source: reference },

  // Failures of the turn itself.
  { text: "Prompt is too long", status: 400, expected: "tooLong", source: reference },
  { text: "API Error: Output blocked by content filtering policy", expected: "failed", source: reference },
  {
    text: "API Error: Claude Code is unable to respond to this request, which appears to violate our Usage Policy",
    expected: "failed",
    source: reference
  }
]

const errorRs =
  "https://github.com/openai/codex/blob/e67d6827e55dc797c24e6aefeda505245e4599f3/codex-rs/protocol/src/error.rs"
const codexIssue = (number: number) => `https://github.com/openai/codex/issues/${number}`

export const codex: ReadonlyArray<Wording> = [
  {
    text: "You've hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/codex/settings/usage to purchase more credits or try again at 11:32 PM.",
    expected: "usageLimit until 2026-06-10T23:33Z",
    source: errorRs
  },
  {
    text: "You've hit your usage limit. Try again at Jun 13th, 2026 3:42 PM.",
    expected: "usageLimit until 2026-06-13T15:43Z",
    source: errorRs
  },
  {
    text: "You've hit your usage limit. Try again at Dec 3rd, 2026 3:42 PM.",
    expected: "usageLimit",
    source: errorRs
  },
  {
    text: "You've hit your usage limit for gpt-5-codex-mini. Switch to another model now, or try again at Jun 11th, 2026 12:00 AM.",
    expected: "usageLimit until 2026-06-11T00:01Z",
    source: errorRs
  },
  {
    text: "You've hit your usage limit. To get more access now, send a request to your admin or try again later.",
    expected: "usageLimit",
    source: errorRs
  },
  {
    text: "You've hit your usage limit. Try again in 4 days 20 hours 9 minutes.",
    expected: "usageLimit until 2026-06-15T08:10Z",
    source: codexIssue(3257)
  },
  {
    text: "You've reached your usage limit. Upgrade your plan or add credits to continue",
    expected: "usageLimit",
    source: codexIssue(47305)
  },
  { text: "exceeded retry limit, last status: 429 Too Many Requests", expected: "usageLimit", source: errorRs },
  {
    text: "Your workspace is out of credits. Ask your workspace owner to refill in order to continue.",
    expected: "funds",
    source: "https://github.com/pingdotgg/t3code/issues/10472"
  },
  {
    text: "You hit your spend cap set by the owner of your workspace. Ask an owner to increase your spend cap to continue.",
    expected: "funds",
    source: "https://github.com/openai/codex/blob/main/codex-rs/protocol/src/error.rs"
  },
  { text: "Quota exceeded. Check your plan and billing details.", expected: "funds", source: errorRs },
  {
    text: "unexpected status 429 Too Many Requests: You exceeded your current quota, please check your plan and billing details., url: https://api.openai.com/v1/responses",
    expected: "funds",
    source: "https://platform.openai.com/docs/guides/error-codes"
  },
  {
    text: "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus.",
    expected: "account",
    source: errorRs
  },
  {
    text: `unexpected status 400 Bad Request: {"detail":"The 'gpt-5.1-codex' model is not supported when using Codex with a ChatGPT account."}`,
    expected: "account",
    source: codexIssue(6603)
  },
  {
    text: `{"type":"error","status":400,"error":{"type":"invalid_request_error","message":"The 'gpt-5.3-codex' model is not supported when using Codex with a ChatGPT account."}}`,
    expected: "account",
    source: codexIssue(17642)
  },
  {
    text: "unexpected status 404 Not Found: The model `gpt-5-nope` does not exist or you do not have access to it., url: https://api.openai.com/v1/responses",
    expected: "account",
    source: "https://platform.openai.com/docs/guides/error-codes"
  },
  {
    text: "Access blocked by Cloudflare. This usually happens when connecting from a restricted region (status 403 Forbidden)",
    expected: "account",
    source: errorRs
  },
  {
    text: "unexpected status 401 Unauthorized: Incorrect API key provided: sk-x, url: https://api.openai.com/v1/responses",
    expected: "auth",
    source: "https://platform.openai.com/docs/guides/error-codes"
  },
  {
    text: "Failed to refresh your session because your refresh token was already used. Please log out and sign in again.",
    expected: "auth",
    source: "https://github.com/openai/codex/blob/main/codex-rs/login/src/auth/manager.rs"
  },
  { text: "Missing environment variable: `OPENAI_API_KEY`.", expected: "auth", source: errorRs },
  {
    text: "stream disconnected before completion: Transport error: error decoding response body",
    expected: "network",
    source: errorRs
  },
  {
    text: "Connection failed: error sending request for url (https://chatgpt.com/backend-api/codex/responses)",
    expected: "network",
    source: errorRs
  },
  {
    text: "Error while reading the server response: error decoding response body, request id: req_1",
    expected: "network",
    source: errorRs
  },
  {
    text: "Selected model is at capacity. Please try a different model.",
    expected: "network",
    source: codexIssue(46128)
  },
  {
    text: "We're currently experiencing high demand, which may cause temporary errors.",
    expected: "network",
    source: errorRs
  },
  { text: "unexpected status 503 Service Unavailable: Unknown error", expected: "network", source: errorRs },
  {
    text: "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
    expected: "tooLong",
    source: errorRs
  }
]

/** Words in which refusals were reported that no list has. */
export const reported: ReadonlyArray<Wording> = (
  [
    ["You've used up your plan's included usage. Usage resets at 5:00 PM.", "usageLimit until 2026-06-10T17:01Z"],
    ["You've hit your weekly limit · resets Mon 9am", "usageLimit until 2026-06-15T09:01Z"],
    ["You've hit your weekly limit · resets tomorrow at 9am", "usageLimit until 2026-06-11T09:01Z"],
    ["Vous avez atteint votre limite d'utilisation · réinitialisation à 15h30", "usageLimit until 2026-06-10T15:31Z"],
    ["利用上限に達しました。15:00にリセットされます", "usageLimit until 2026-06-10T15:01Z"],
    ["Nothing left in this bucket; resets at 3pm", "usageLimit until 2026-06-10T15:01Z"],
    ["Request was aborted", "network"],
    ["self signed certificate in certificate chain", "network"],
    [`API Error: Error: 429 ${body("rate_limit_error", "no")}`, "usageLimit"],
    [`API Error: Error: 429 ${body("error", "no")}`, "usageLimit"],
    ["The budget for this workspace has been exhausted", "funds"],
    ["You've reached your organization's spending cap · resets Jul 1 at 12am (UTC)", "funds until 2026-07-01T00:01Z"],
    [
      "Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Used 6899, Requested 24050. Please try again in 2.28s.",
      "usageLimit until 2026-06-10T12:00:02Z"
    ],
    ["Error running remote compact task: unexpected status 502", "network"],
    [`unexpected status 403 Forbidden: {"detail":"no"}`, "account"],
    ["Server overloaded", "network"]
  ] as const
).map(([text, expected]) => ({ text, expected, source: "reported" }))
