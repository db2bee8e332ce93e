/**
 * An agent as configuration describes it: a command, how it gets the prompt, and what it may see and take.
 *
 * @since 0.1.0
 */
import { Array, Duration, Schema } from "effect"
import { Span } from "../../yaml/fields.js"

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
