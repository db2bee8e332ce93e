/**
 * The built-in agent profiles. They run unattended, so prompts for permission are disabled, and they stream their output, since
 * the silence limit would otherwise end them. The limit is long, because a single command that they run may print nothing.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import { modelPlaceholder, type Profile, sessionPlaceholder } from "./Profile.js"

/** Variables that configure proxies and their certificate authorities. */
const network = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()])
  .concat(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"])

/** More turns of one account at once reach its limits sooner, and compete for the machine. */
const concurrency = 4

/**
 * The profiles that need no configuration.
 *
 * @since 0.1.0
 * @category constants
 */
export const presets: ReadonlyArray<Profile> = [
  {
    name: "claude",
    // stream-json requires --verbose.
    command: ["claude", "-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"],
    resume: [
      "claude",
      "-p",
      "--resume",
      sessionPlaceholder,
      "--output-format",
      "stream-json",
      "--verbose",
      "--dangerously-skip-permissions"
    ],
    model: ["--model", modelPlaceholder],
    prompt: "stdin",
    format: "claude-stream-json",
    env: [
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_AUTH_TOKEN",
      "ANTHROPIC_BASE_URL",
      "ANTHROPIC_CUSTOM_HEADERS",
      "ANTHROPIC_MODEL",
      "CLAUDE_CODE_OAUTH_TOKEN",
      "CLAUDE_CONFIG_DIR",
      // Without it, claude refuses to skip permissions as root.
      "IS_SANDBOX",
      ...network
    ],
    timeout: Duration.hours(1),
    silence: Duration.minutes(20),
    concurrency
  },
  {
    name: "codex",
    command: ["codex", "exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check", "-"],
    // The flags belong to `exec`, and `-` after the session reads the prompt from standard input.
    resume: [
      "codex",
      "exec",
      "--json",
      "--dangerously-bypass-approvals-and-sandbox",
      "--skip-git-repo-check",
      "resume",
      sessionPlaceholder,
      "-"
    ],
    model: ["-m", modelPlaceholder],
    prompt: "stdin",
    format: "codex-json",
    env: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME", ...network],
    timeout: Duration.hours(1),
    silence: Duration.minutes(20),
    concurrency
  }
]
