/**
 * The agents that are known without configuration. Nobody is there to be asked, so they ask nothing, and they print what
 * they do as they do it, or their silence would be taken for their end. A single command of theirs may be silent for long.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import type { Profile } from "./Profile.js"

/** The ways out of a closed network, and the authorities that vouch for them. */
const network = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()])
  .concat(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"])

/** @since 0.1.0 */
export const presets: ReadonlyArray<Profile> = [
  {
    name: "claude",
    // Its stream goes only with --verbose.
    command: ["claude", "-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"],
    prompt: "stdin",
    env: [
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_AUTH_TOKEN",
      "ANTHROPIC_BASE_URL",
      "ANTHROPIC_CUSTOM_HEADERS",
      "ANTHROPIC_MODEL",
      "CLAUDE_CODE_OAUTH_TOKEN",
      "CLAUDE_CONFIG_DIR",
      // As root it refuses to work unasked, unless this says that it is in a container.
      "IS_SANDBOX",
      ...network
    ],
    timeout: Duration.hours(1),
    silence: Duration.minutes(20)
  },
  {
    name: "codex",
    command: ["codex", "exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check", "-"],
    prompt: "stdin",
    env: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME", ...network],
    timeout: Duration.hours(1),
    silence: Duration.minutes(20)
  }
]
