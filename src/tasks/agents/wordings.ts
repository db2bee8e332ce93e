/**
 * The words with which agents, their clients and the services behind them refuse a turn: those of Claude Code
 * (https://code.claude.com/docs/en/errors) and Codex (codex-rs/protocol/src/error.rs in https://github.com/openai/codex), and what
 * those of other agents and services have in common with them.
 *
 * They are compared only with the message with which an agent reports that its turn has failed. A client may use another service than
 * its own, so all words count for all agents.
 */

/** The classes of messages; that of a budget is in a record instead. */
export type FailureClass = "usageLimit" | "funds" | "auth" | "account" | "network" | "tooLong"

/** Of what the model was given, as opposed to the files of the task. */
export const tooLong: ReadonlyArray<RegExp> = [
  /\b(prompt|input|conversation) (is )?too long\b/i,
  /\bcontext (window|length|limit) (is |was |has been )?(reached|exceeded)\b/i,
  /\b(exceeds?|exceeded|longer than|out of room in|maximum)\b[^.{]{0,60}\bcontext (window|length|limit)\b/i
]

/**
 * The first class with a matching pattern is that of a message. Money comes before limits, since `billing` and `monthly` tell what a
 * limit is of, and the network comes last, since `stream disconnected` only says how the message arrived.
 */
export const wordings: ReadonlyArray<readonly [FailureClass, ReadonlyArray<RegExp>]> = [
  ["tooLong", tooLong],
  ["network", [/\bnot your usage limit\b/i, /\bno capacity available\b/i, /\bMODEL_CAPACITY_EXHAUSTED\b/]],
  [
    "funds",
    [
      /\bcredit balance\b/i,
      /\b(out of|no|not enough) (credits?|quota|funds)\b/i,
      /\binsufficient[ _](balance|credits?|funds|quota)\b/i,
      /\bspend(ing)? (cap|limit)\b/i,
      /^You've (hit|reached) your [^·|{]*\b(monthly|budget|individual usage)\b/i,
      /\bmonthly [^·|.{]{0,40}\b(limit|quota)\b/i,
      /\bbudget\b[^·|.{]{0,60}\b(has been|have been|is|was) (exceeded|exhausted|reached|spent|used up)\b/i,
      /\bspecified (\w+ )?API usage limits\b/i,
      /\bexceeded your current quota\b|^Quota exceeded\. |\bbilling details\b|\bpayment required\b/i
    ]
  ],
  [
    "usageLimit",
    [
      /^You've (hit|reached) your ([\w'.-]+ ){0,5}limits?\b/i,
      /^([\w-]+ ){0,3}limit reached [·∙•-]/i,
      /\bout of extra usage\b/i,
      /\b(usage|session|weekly|daily|hourly|request|token) limit\b[^{]{0,60}\b(exceeded|hit|reached)\b/i,
      /\b(exceed(s|ed)?|exhausted|hit|reach(ed)?|used up)\b[^.{]{0,60}\b(quota|usage|(session|weekly|daily|hourly|request|token) limit)\b/i,
      /\b(quota|usage) (has been |was |is )?(exceeded|exhausted|used up)\b|\bexhausted your capacity\b/i,
      /\brate[ _-]limit(s|ed|ing|_\w+)?\b|\btoo many requests\b|\bresource has been exhausted\b|\bRESOURCE_EXHAUSTED\b/i,
      /\blimite\b[^.{]{0,60}(\batteinte|\bdépassée|\bd'utilisation|\bd'usage)|\batteint\b[^.{]{0,40}\blimite\b/i,
      /(使用|利用)[^。{]{0,8}(制限|上限)|(制限|上限)[^。{]{0,10}達し/
    ]
  ],
  [
    "account",
    [
      /\bdisabled (Claude subscription access|API key authentication)\b/i,
      /\bauthentication is currently not allowed\b/i,
      /\b(organization|account|workspace|project)\b[^.{]{0,30}\b(has been|is|was) (blocked|deactivated|disabled|on hold|restricted|suspended)\b/i,
      /^Your account (does not have access|is on hold)\b/i,
      /^There's an issue with the selected model\b/i,
      /^model: \S+$/i,
      /\bmodel\b[^.{]{0,80}\b(does not exist|not (a recognized|available|found|supported)|requires a newer version|restricted by)\b/i,
      /^Claude [\w .]+ is not available with the Claude [\w ]+ plan\b/i,
      /^Claude Code \S+ (does not support this model|is older than the minimum version)/i,
      /^(Usage credits|Extra usage) (are |is )?required for (1M|long) context\b/i,
      /^To use Codex with your ChatGPT plan, upgrade\b/i,
      /^(Access blocked by Cloudflare|Country, region, or territory not supported)\b/i,
      /\b(PERMISSION_DENIED|Permission denied on resource|does not have permission)\b/i
    ]
  ],
  [
    "auth",
    [
      /\b(expired|incorrect|invalid|missing|revoked)\b[^.{]{0,30}\b(api[ _-]?key|(access|auth|bearer|oauth|refresh)[ _-]token|credentials?)\b/i,
      /\b(api[ _-]?key|token|credentials?|login|session)\b[^.{]{0,60}\b(already (been )?used|could not be refreshed|expired|invalid(ated)?|not valid|refused|rejected|revoked)\b/i,
      /\b(authentication[ _](error|failed|required)|not logged in|not signed in|please (run \/login|log in|sign in)|sign in again|unauthorized)\b/i,
      /\b(token refresh failed|failed to refresh (your |the )?(session|token)|incorrect api key|missing bearer)\b/i,
      /^Missing environment variable: `?\w*(API_KEY|TOKEN)\b/i,
      /^(Could not resolve authentication method|Invalid (auth token|ANTHROPIC_CUSTOM_HEADERS|request header from the environment)) ?/i,
      /^(Invalid authentication credentials|Your apiKeyHelper script is failing|Claude login not accepted)\b/i,
      /^Could not load (AWS|Google Cloud|the default) credentials\b/i
    ]
  ],
  [
    "network",
    [
      /\b(connection|dns|handshake|network|proxy|socket|transport)\b[^.{]{0,60}\b(aborted|closed|dropped|error|failed|hang|interrupted|lost|refused|reset|timed? ?out|unreachable)\b/i,
      /\b(can't|cannot|could not|couldn't|failed to|unable to) (connect|reach)\b|\bno internet\b|\binternet connection\b/i,
      /\brequest (error|timed out|was aborted|refused|dropped|lost|closed)\b|\btimeout waiting for\b|\berror sending request\b/i,
      /\b(fetch failed|operation was aborted|stream disconnected|no response from API)\b|^terminated\b/i,
      /\b(at capacity|bad gateway|gateway time-?out|high (demand|load)|internal (server )?error|overloaded|service unavailable|temporarily unavailable|UNAVAILABLE)\b/i,
      /^Server is temporarily limiting requests\b/i,
      /^(Server error mid-response|Response stalled|Your computer went to sleep|Error while reading the server response)\b/i,
      /^(The response (stopped arriving|stalled|stream was malformed)|Part of the response never arrived)\b/i,
      /^(API returned an empty or malformed response|Streaming response ended before)\b/i,
      /^(Content block (not found|already closed)|Stream event unreadable)\b/i,
      /\banother Claude Code process\b/i,
      /^[^{]*\b(ECONN(RESET|REFUSED|ABORTED)|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENET(UNREACH|DOWN))\b/,
      /^[^{]*\b(UND_ERR_\w+|ConnectionRefused|FailedToOpenSocket)\b/,
      /\bcertificate\b|\b(CERT_\w+|\w+_CERT(_\w+)?)\b|\bSSL\b/i
    ]
  ]
]
