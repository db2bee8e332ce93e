/**
 * An agent as configuration describes it: a command, how it gets the prompt, and what it may see and take.
 *
 * @since 0.1.0
 */
import { Array, Duration, Schema } from "effect"
import { Span } from "../plan/Fields.js"

/** Says the same whatever is wrong with the value. */
const must = (message: string) => ({ message: () => ({ message, override: true }) })

/** The built-in agent that runs the `sh` blocks of the tasks themselves; it has no profile. */
export const script = "script"

/** Stands in a command for the prompt, or for the file that holds it. */
export const placeholder = "{prompt}"

/** Part of a line on a terminal and of a flag, so it is short and plain. */
export const ProfileName = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)).annotations(
  must("must be a name of at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit")
)

const word = Schema.String.pipe(Schema.filter((text) => !text.includes("\0")))

/** It is run as it is, without a shell. What it names is looked for on the PATH, never in the repository. */
export const Command = Schema.NonEmptyArray(word)
  .pipe(Schema.filter(([file]) => /^\/.|^[^/~][^/]*$/.test(file)))
  .annotations(
    must(
      "must be a list of words, such as [claude, -p], whose first is a name to be found on the PATH or an absolute path"
    )
  )

/** How the agent gets the prompt: as its standard input, or as a file or text that is named in its arguments. */
export const PromptWay = Schema.Literal("stdin", "file", "argument").annotations(
  must("must be stdin, file or argument")
)

/** Names only: the values are those around Charlotte. */
export const VariableNames = Schema.Array(
  Schema.String.pipe(
    Schema.filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/^(CHARLOTTE_|GIT_)/.test(name))
  ).annotations(must("must be the name of a variable, without its value; those of Charlotte and git are not passed on"))
).annotations({ message: () => "must be a list of names of variables, such as [OPENAI_API_KEY]" })

/**
 * @since 0.1.0
 */
export class Profile extends Schema.Class<Profile>("charlotte/Profile")({
  name: ProfileName,
  command: Command,
  prompt: PromptWay,
  /** The variables that it gets, besides the few that all get. */
  env: VariableNames,
  /** How long a call may take. */
  timeout: Schema.optional(Span),
  /** How long it may print nothing. */
  silence: Schema.optional(Span)
}) {}

/** What holds for a profile that does not say otherwise. An agent that hangs must not hold its job for ever. */
export const defaults = { prompt: "stdin", env: Array.empty<string>(), timeout: Duration.hours(1) } as const

/** The ways out of a closed network, and the authorities that vouch for them. */
const network = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()])
  .concat(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"])

/**
 * The agents that are known without configuration. Nobody is there to be asked, so they ask nothing, and they print what
 * they do as they do it, or their silence would be taken for their end. A single command of theirs may be silent for long.
 *
 * @since 0.1.0
 */
export const presets: ReadonlyArray<Profile> = [
  new Profile({
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
  }),
  new Profile({
    name: "codex",
    command: ["codex", "exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check", "-"],
    prompt: "stdin",
    env: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME", ...network],
    timeout: Duration.hours(1),
    silence: Duration.minutes(20)
  })
]
