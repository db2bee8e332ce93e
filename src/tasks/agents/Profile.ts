/**
 * The configuration of an agent: its command, how it receives the prompt, its environment variables and its time limits.
 *
 * @since 0.1.0
 */
import { Array, Duration, Option, Schema } from "effect"
import { Count, Span } from "../../yaml/fields.js"

/** One message for every invalid value. */
const must = (message: string) => ({ message: () => ({ message, override: true }) })

/**
 * The built-in agent that runs the `sh` blocks of the tasks themselves; it has no profile.
 *
 * @since 0.1.0
 * @category constants
 */
export const script = "script"

/** Placeholder in a command for the prompt, or for the path of the prompt file. */
export const placeholder = "{prompt}"

/** Placeholder for the name of the model, in `model`. */
export const modelPlaceholder = "{model}"

/** Restricted, since it is shown in terminal lines and passed as a flag value. */
export const ProfileName = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)).annotations(
  must("must be a name of at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit")
)

/** Finds its words in any line of an output, in capitals or not. */
export const compiled = (pattern: string): Option.Option<RegExp> =>
  Option.liftThrowable(() => new RegExp(pattern, "im"))()

const word = Schema.String.pipe(Schema.filter((text) => !text.includes("\0")))

/** Placeholder in the command that resumes a session, for the id of the session. */
export const sessionPlaceholder = "{session}"

/** Run without a shell. The program is searched for on the PATH, never in the repository. */
export const Command = Schema.NonEmptyArray(word)
  .pipe(Schema.filter(([file]) => /^\/.|^[^/~][^/]*$/.test(file)))
  .annotations(
    must("must be a list of words, such as [claude, -p], that begins with a command on the PATH or an absolute path")
  )

/** The words that choose a model, added to the command for a task that names one. */
export const ModelWords = Schema.NonEmptyArray(word)
  .pipe(Schema.filter((words) => words.some((word) => word.includes(modelPlaceholder))))
  .annotations(must(`must be a list of words with ${modelPlaceholder}, such as [--model, "${modelPlaceholder}"]`))

/** How the agent receives the prompt: on standard input, or in its arguments, as a file path or as text. */
export const PromptWay = Schema.Literal("stdin", "file", "argument").annotations(
  must("must be stdin, file or argument")
)

/**
 * How the output of an agent reports its failures: as records of Claude Code's `--output-format stream-json`, as records of
 * `codex exec --json`, or as text, which is the message of a refusal only if it is all that the agent printed.
 *
 * @since 0.2.0
 * @category models
 */
export const Format = Schema.Literal("claude-stream-json", "codex-json", "text").annotations(
  must("must be claude-stream-json, codex-json or text")
)

/**
 * How the output of an agent reports its failures.
 *
 * @since 0.2.0
 * @category models
 */
export type Format = typeof Format.Type

/** Names only; the values come from the environment of Charlotte. */
export const VariableNames = Schema.Array(
  Schema.String.pipe(
    Schema.filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/^(CHARLOTTE_|GIT_)/.test(name))
  ).annotations(
    must("must be the name of an environment variable, without a value; CHARLOTTE_* and GIT_* are not passed on")
  )
).annotations({ message: () => "must be a list of environment variable names, such as [OPENAI_API_KEY]" })

const Price = Schema.NonNegative.pipe(Schema.finite())

/** What an agent's tokens cost: for an agent that reports no money. In US dollars for a million tokens. */
export const Prices = Schema.Struct({ input: Price, cached: Price, output: Price }).annotations(
  must(
    "must be a mapping such as { input: 1.25, cached: 0.125, output: 10 }: US dollars for a million tokens of each kind"
  )
)

/** @since 0.2.0 */
export type Prices = typeof Prices.Type

/**
 * A regular expression for what an agent prints when it refuses a turn, and the class of that turn. What its group `reset` matches is
 * when the limit resets, such as in `quota used up, back (?<reset>.+)`.
 *
 * @since 0.2.0
 * @category models
 */
export const LimitPattern = Schema.Struct({
  class: Schema.Literal("usageLimit", "funds", "auth", "account", "network"),
  pattern: Schema.NonEmptyString.pipe(Schema.filter((pattern) => Option.isSome(compiled(pattern))))
}).annotations(
  must(
    "must be a mapping such as { class: usageLimit, pattern: 'quota used up, back (?<reset>.+)' }, with a class of usageLimit, funds, auth, account or network, and a regular expression"
  )
)

/** @since 0.2.0 */
export type LimitPattern = typeof LimitPattern.Type

/**
 * The configuration of an agent.
 *
 * @since 0.1.0
 * @category models
 */
export class Profile extends Schema.Class<Profile>("charlotte/Profile")({
  name: ProfileName,
  command: Command,
  /** The whole command that resumes a session, if it can; the prompt is passed in the same way. */
  resume: Schema.optional(Command),
  /** How the command chooses a model; without it, no task can name one. */
  model: Schema.optional(ModelWords),
  prompt: PromptWay,
  /** `text` by default. */
  format: Schema.optionalWith(Format, { default: () => "text" }),
  /** Begins the command lines of the agent and of its gates: a program such as bubblewrap, which runs the rest. */
  wrap: Schema.optional(Command),
  /** The environment variables that the agent inherits, besides the few that every process gets. */
  env: VariableNames,
  /** Time limit of one invocation. */
  timeout: Schema.optional(Span),
  /** Time limit without output. */
  silence: Schema.optional(Span),
  /** How many turns of it run at once in a manager's process; without it, there is no limit. */
  concurrency: Schema.optional(Count),
  /** What its tokens cost, if it reports no money. */
  prices: Schema.optional(Prices),
  /** What it prints when it refuses a turn, besides what Charlotte knows; the first pattern that matches counts. */
  limits: Schema.optional(Schema.Array(LimitPattern))
}) {}

/** Defaults of a profile. The timeout keeps a hanging agent from blocking its job for ever. */
export const defaults = {
  prompt: "stdin",
  format: "text",
  env: Array.empty<string>(),
  timeout: Duration.hours(1)
} as const
