import type { Wording } from "./wordings.js"

/**
 * What agents print when they are refused, copied from public reports and sources before the classifier was looked at, so that they
 * measure how it does with words that it was not written for. Only dates are moved to 2026-06-10, 12:00 UTC; ids are shortened.
 */
const issue = (repository: string) => (number: number) => `${repository} issue ${number}`
const claudeCode = issue("anthropics/claude-code")
const codexIssue = issue("openai/codex")
const gemini = issue("google-gemini/gemini-cli")
const opencode = issue("anomalyco/opencode")
const body = (type: string, message: string) => JSON.stringify({ type: "error", error: { type, message } })
const errorReference = "code.claude.com/docs/en/errors"
const protocolError = "openai/codex codex-rs/protocol/src/error.rs"
const coreError = "openai/codex codex-rs/core/src/error.rs"
const googleQuota = "google-gemini/gemini-cli packages/core/src/utils/googleQuotaErrors.ts"

export const collected: ReadonlyArray<Wording> = [
  // claude
  {
    text: "You've hit your limit · resets 1:30am (Asia/Dhaka)",
    expected: "usageLimit until 2026-06-10T19:31Z",
    source: claudeCode(54698)
  },
  {
    text: "You've hit your session limit · resets 12:50am (America/Los_Angeles)",
    expected: "usageLimit until 2026-06-11T07:51Z",
    source: claudeCode(74079)
  },
  {
    text: "You've hit your session limit · resets 5pm",
    expected: "usageLimit until 2026-06-10T17:01Z",
    source: claudeCode(77108)
  },
  {
    text: "Claude usage limit reached. Your limit will reset at 9am (America/Chicago).",
    expected: "usageLimit until 2026-06-10T14:01Z",
    source: claudeCode(15064)
  },
  {
    text: "Opus weekly limit reached ∙ resets Jun 17, 9am",
    expected: "usageLimit until 2026-06-17T09:01Z",
    source: claudeCode(10333)
  },
  {
    text: "You've hit your weekly limit · resets Jun 16, 4pm (Europe/Rome)",
    expected: "usageLimit until 2026-06-16T14:01Z",
    source: claudeCode(65802)
  },
  {
    text: "You've hit your weekly limit · resets Jun 15 at 7pm",
    expected: "usageLimit until 2026-06-15T19:01Z",
    source: claudeCode(92834)
  },
  {
    text: "You've hit your weekly limit · resets Mon 12:00am",
    expected: "usageLimit until 2026-06-15T00:01Z",
    source: errorReference
  },
  {
    text: "You've hit your Opus limit · resets 3:45pm",
    expected: "usageLimit until 2026-06-10T15:46Z",
    source: errorReference
  },
  {
    text: "You're out of extra usage · resets 9pm",
    expected: "usageLimit until 2026-06-10T21:01Z",
    source: "frankbria/ralph-claude-code issue 100"
  },
  {
    text: "You're out of extra usage · resets Jun 12, 8pm (Europe/Budapest)",
    expected: "usageLimit until 2026-06-12T18:01Z",
    source: claudeCode(22603)
  },
  {
    text: `API Error: 400 ${body("invalid_request_error", "You have reached your specified workspace API usage limits. You will regain access on 2026-07-01 at 00:00 UTC.")}`,
    status: 400,
    expected: "funds until 2026-07-01T00:01Z",
    source: claudeCode(55998)
  },
  {
    text: "API Error: Usage credits required for 1M context · turn on usage credits at claude.ai/settings/usage, or use --model to switch to standard context",
    expected: "account",
    source: claudeCode(61828)
  },
  { text: "API Error: Unable to connect to API (ECONNRESET)", expected: "network", source: claudeCode(42949) },
  { text: "Unable to connect to API due to poor internet connection", expected: "network", source: claudeCode(25382) },
  {
    text: "Failed to connect to api.anthropic.com: UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    expected: "network",
    source: claudeCode(8223)
  },
  {
    text: "API Error: Unable to connect to API: SSL certificate verification failed. Check your proxy or corporate SSL certificates",
    expected: "network",
    source: claudeCode(28859)
  },
  {
    text: "API Error: Unable to connect to API: Self-signed certificate detected. Check your proxy or corporate SSL certificates",
    expected: "network",
    source: claudeCode(74369)
  },
  {
    text: `API Error: 401 ${body("authentication_error", "OAuth authentication is currently not supported.")}`,
    status: 401,
    expected: "auth",
    source: claudeCode(6043)
  },
  { text: "OAuth token revoked · Please run /login", expected: "auth", source: claudeCode(29497) },
  {
    text: "API Error: 400 This organization has been disabled.",
    status: 400,
    expected: "account",
    source: "router-for-me/CLIProxyAPI issue 3409"
  },
  {
    text: `API Error: 500 ${body("api_error", "Overloaded")}`,
    status: 500,
    expected: "network",
    source: claudeCode(3534)
  },
  {
    text: "API Error: 500 Internal server error. This is a server-side issue, usually temporary",
    expected: "network",
    source: "developersdigest.tech/errors/claude-code"
  },
  {
    text: `API Error: 400 ${body("invalid_request_error", "input length and `max_tokens` exceed context limit: 193125 + 21333 > 200000, decrease input length or `max_tokens` and try again")}`,
    status: 400,
    expected: "tooLong",
    source: claudeCode(16580)
  },
  {
    text: "API Error: 400 Prompt exceeds maximum context length",
    status: 400,
    expected: "tooLong",
    source: "ddalcu/mlx-serve issue 66"
  },
  // codex
  {
    text: "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 2 days 17 hours 14 minutes.",
    expected: "usageLimit until 2026-06-13T05:15Z",
    source: codexIssue(3124)
  },
  {
    text: "You've hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/codex/settings/usage to purchase more credits or try again at Jun 11th, 2026 4:13 PM.",
    expected: "usageLimit until 2026-06-11T16:14Z",
    source: codexIssue(19830)
  },
  {
    text: "You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit\nhttps://chatgpt.com/codex/settings/usage to purchase more credits or try again at 2:51 PM.",
    expected: "usageLimit until 2026-06-10T14:52Z",
    source: codexIssue(47047)
  },
  {
    text: "You've hit your usage limit. Upgrade to Plus to continue using Codex (https://openai.com/chatgpt/pricing).",
    expected: "usageLimit",
    source: coreError
  },
  {
    text: "You hit your spend cap set in your workspace. Increase your spend cap to continue.",
    expected: "funds",
    source: protocolError
  },
  { text: "Your workspace is out of credits. Add credits to continue.", expected: "funds", source: protocolError },
  {
    text: "exceeded retry limit, last status: 401 Unauthorized, request id: 99438b5929d256ae-OSL",
    expected: "auth",
    source: codexIssue(5678)
  },
  {
    text: "stream disconnected before completion: Rate limit is exceeded. Try again in 17 seconds.",
    expected: "usageLimit until 2026-06-10T12:00:17Z",
    source: codexIssue(3764)
  },
  {
    text: "stream disconnected before completion: Rate limit reached for organization org-x on tokens per min (TPM): Limit 250000, Used 250000, Requested 22700. Please try again in 5.448s. Visit https://platform.openai.com/account/rate-limits to learn more.",
    expected: "usageLimit until 2026-06-10T12:00:05Z",
    source: codexIssue(10061)
  },
  {
    text: "stream disconnected before completion: Rate limit reached for organization org-x on requests per min (RPM): Limit 3000, Used 3000, Requested 1. Please try again in 20ms. Visit https://platform.openai.com/account/rate-limits to learn more.",
    expected: "usageLimit until 2026-06-10T12:00Z",
    source: codexIssue(10060)
  },
  {
    text: "stream disconnected before completion: An error occurred while processing your request. You can retry your request, or contact us through our help center at help.openai.com if the error persists.",
    expected: "network",
    source: codexIssue(38000)
  },
  {
    text: "stream disconnected before completion: Proxy request budget exhausted",
    expected: "network",
    source: "Soju06/codex-lb issue 181"
  },
  {
    text: "Your access token could not be refreshed because your refresh token was already used. Please log out and sign in again.",
    expected: "auth",
    source: codexIssue(9634)
  },
  {
    text: "Your access token could not be refreshed because you have since logged out or signed in to another account. Please sign in again.",
    expected: "auth",
    source: "zhishile/codex-auth-helper issue 76"
  },
  {
    text: "Failed to refresh token: 401 Unauthorized: Your refresh token has already been used to generate a new access token. Please try signing in again.",
    expected: "auth",
    source: codexIssue(6028)
  },
  {
    text: "Failed to refresh token: 400 Bad Request: Invalid 'refresh_token': empty string. Expected a string with minimum length 1, but got an empty string instead.",
    expected: "auth",
    source: "170-carry/codex-tools issue 161"
  },
  { text: "Token refresh failed: 401", expected: "auth", source: codexIssue(10617) },
  { text: "request timed out", expected: "network", source: protocolError },
  // gemini
  {
    text: "Usage limit reached for gemini-3-flash-preview. Access resets at 10:57 PM GMT-3.",
    expected: "usageLimit until 2026-06-11T01:58Z",
    source: gemini(22643)
  },
  {
    text: "[API Error: You have exhausted your daily quota on this model.]",
    expected: "usageLimit",
    source: gemini(15215)
  },
  {
    text: `[API Error: {"error":{"message":"{\\n  \\"error\\": {\\n    \\"code\\": 429,\\n    \\"message\\": \\"Resource has been exhausted (e.g. check quota).\\",\\n    \\"status\\": \\"RESOURCE_EXHAUSTED\\"\\n  }\\n}\\n","code":429,"status":"Too Many Requests"}}]`,
    expected: "usageLimit",
    source: gemini(1800)
  },
  {
    text: "No capacity available for model gemini-3.1-pro-preview on the server",
    expected: "network",
    source: gemini(24159)
  },
  {
    text: "You have exhausted your capacity on this model. Your quota will reset after 4h28m20s. (HTTP 429)",
    expected: "usageLimit until 2026-06-10T16:28:20Z",
    source: gemini(25103)
  },
  {
    text: `[API Error: got status: UNAVAILABLE. {"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}]`,
    expected: "network",
    source: gemini(5191)
  },
  {
    text: "[API Error: API key not valid. Please pass a valid API key. (Status: INVALID_ARGUMENT)]",
    expected: "auth",
    source: gemini(4690)
  },
  { text: "API key expired. Please renew the API key.", expected: "auth", source: gemini(4430) },
  {
    text: `[API Error: [{ "error": { "code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED" } }]]`,
    expected: "account",
    source: gemini(25607)
  },
  {
    text: `[API Error: [{ "error": { "code": 429, "message": "Quota exceeded for quota metric 'Gemini 2.5 Pro Requests' and limit 'Gemini 2.5 Pro Requests per day per user per tier' of service 'cloudcode-pa.googleapis.com' for consumer 'project_number:681255809395'." } }]]`,
    expected: "usageLimit",
    source: gemini(10925)
  },
  {
    text: "You've hit your daily limit of requests with Gemini 2.5 Pro.",
    expected: "usageLimit",
    source: gemini(7709)
  },
  {
    text: "Resource has been exhausted (e.g. check quota).\nSuggested retry after 34.074824224s.",
    expected: "usageLimit until 2026-06-10T12:00:34Z",
    source: googleQuota
  },
  {
    text: "We are currently experiencing high demand. We apologize and appreciate your patience.",
    expected: "network",
    source: gemini(24066)
  },
  // opencode
  {
    text: "weekly usage limit reached. It will reset in 5 days 10 hours. To continue using this model now, enable usage from your available balance",
    expected: "usageLimit until 2026-06-15T22:01Z",
    source: opencode(49170)
  },
  {
    text: "Monthly usage limit reached. It will reset in 10 days 19 hours.",
    expected: "funds until 2026-06-21T07:01Z",
    source: opencode(42686)
  },
  { text: "Free usage exceeded, subscribe to Go", expected: "usageLimit", source: opencode(27492) },
  {
    text: "Insufficient balance. Manage your billing here: https://opencode.ai/workspace/wrk_x/billing",
    expected: "funds",
    source: opencode(24021)
  },
  { text: "402 Insufficient Balance", status: 402, expected: "funds", source: opencode(27593) },
  {
    text: `OpenAI API error (429): {"param":null,"code":"rate_limit_exceeded","type":"rate_limit_error","message":"Error from provider (Console Go): Upstream request failed: [rate_limit_exceeded] Rate limit exceeded. Please retry after a brief wait."}`,
    expected: "usageLimit",
    source: opencode(47747)
  },
  { text: "Too Many Requests: quota exceeded", expected: "usageLimit", source: opencode(17682) },
  {
    text: "AI_RetryError: Failed after 3 attempts. Last error: Too Many Requests",
    expected: "usageLimit",
    source: opencode(430)
  },
  { text: "AI_APICallError: The requested model is not supported", expected: "account", source: opencode(2967) },
  { text: `{"type":"overloaded_error","message":"Overloaded"}`, expected: "network", source: opencode(163) },
  {
    text: "Provider is overloaded",
    expected: "network",
    source: "anomalyco/opencode packages/opencode/src/session/retry.ts"
  },
  { text: "API error: [502] Bad Gateway <!DOCTYPE html>", expected: "network", source: opencode(35147) },
  {
    text: "Error from provider (Alibaba): You exceeded your current quota, please check you...",
    expected: "funds",
    source: opencode(23687)
  },
  {
    text: "Too many requests, the rate limit is 8000000 tokens per minute.",
    expected: "usageLimit",
    source: opencode(21465)
  },
  { text: "HTTP 401: Invalid API key.", expected: "auth", source: opencode(28441) },
  { text: "You have no quota", status: 402, expected: "funds", source: "github/copilot-cli issue 730" }
]

/** Every fourth is held out: classified only after the classifier was last changed. */
export const heldOut = collected.filter((_, index) => index % 4 === 3)
