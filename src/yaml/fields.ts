/**
 * Schemas of the values in task files and configuration, with messages that say what is expected.
 *
 * @since 0.1.0
 */
import { Duration, Option, ParseResult, Schema } from "effect"
import { readTokens } from "../progress/cost.js"
import * as RefNames from "../git/RefNames.js"

/** One message for every invalid value. */
const must = (message: string) => ({ message: () => ({ message, override: true }) })
/** The message for a value that is not a list; items have their own messages. */
const mustBeList = (message: string) => ({ message: () => message })

/**
 * A mapping in a file; each of its keys must be optional. With defaults inside, it loses its message.
 *
 * @since 0.2.0
 */
export const mapping = <Fields extends Schema.Struct.Fields>(fields: Fields): Schema.Struct<Fields> =>
  Schema.Struct(fields).annotations(mustBeMapping(fields))

/**
 * The message for a value that is not a mapping; its values have their own messages.
 *
 * @since 0.2.0
 */
export const mustBeMapping = (fields: Schema.Struct.Fields) => ({
  message: () => `must be a mapping with these keys: ${Object.keys(fields).join(", ")}`
})

/**
 * A key that may be missing.
 *
 * @since 0.2.0
 */
export const optional = <A, I>(value: Schema.Schema<A, I>) => Schema.optionalWith(value, { exact: true })

/**
 * A key with a default.
 *
 * @since 0.2.0
 */
export const withDefault = <A, I>(value: Schema.Schema<A, I>, otherwise: () => NoInfer<A>) =>
  Schema.optionalWith(value, { exact: true, default: otherwise })

/**
 * The status of a task, as its file records it.
 *
 * @since 0.1.0
 */
export const TaskStatus = Schema.Literal("pending", "in_progress", "complete", "failed").annotations(
  must("must be pending, in_progress, complete or failed")
)

/**
 * What the gate of a task has to say before any work.
 *
 * @since 0.2.0
 */
export const GateBefore = Schema.Literal("red", "green", "any").annotations(must("must be red, green or any"))

/** @since 0.1.0 */
export type TaskStatus = typeof TaskStatus.Type

/** @since 0.1.0 */
export const TaskNumber = Schema.Int.pipe(Schema.between(1, 1_000_000)).annotations(
  must("must be a task number: a whole number, 1 or more")
)

/** @since 0.1.0 */
export const TaskNumbers = Schema.Array(TaskNumber).annotations(
  mustBeList("must be a list of task numbers in this unit, such as [1, 2]")
)

/**
 * A command for `sh -c`.
 *
 * @since 0.1.0
 */
export const ShellCommand = Schema.String.pipe(
  Schema.filter((command) => command.trim() !== "" && !command.includes("\0"))
).annotations(must("must be a shell command, as text: put quotes around it"))

/** @since 0.1.0 */
export const ShellCommands = Schema.Array(ShellCommand).annotations(mustBeList("must be a list of shell commands"))

/**
 * The name of a unit, which is part of a branch name and a directory name on any file system.
 *
 * @since 0.1.0
 */
export const UnitName = RefNames.UnitName.pipe(
  // File systems differ in how they compare other characters.
  Schema.filter((name) => /^[A-Za-z0-9._-]+$/.test(name))
).annotations(
  must(
    "must be a valid part of a branch name: at most 100 letters, digits, '.', '_' and '-', beginning with a letter or a digit"
  )
)

/** @since 0.1.0 */
export const UnitNames = Schema.Array(
  Schema.String.annotations(must("must be the name of a unit, as text: put quotes around it"))
).annotations(mustBeList("must be a list of unit names, such as [api, database]"))

/**
 * A path below the top level of the repository, and not in `.git`.
 *
 * @since 0.1.0
 */
export const RelativePath = Schema.String.pipe(
  Schema.filter((path) => {
    const steps = path.split("/")
    return path !== "" && !path.includes("\0") && steps[0] !== "" && !steps.includes("..") && !steps.includes(".git")
  })
).annotations(must("must be a path in the repository, relative to its top, without '..'"))

/** @since 0.1.0 */
export const RelativePaths = Schema.Array(RelativePath).annotations(mustBeList("must be a list of paths"))

/** @since 0.1.0 */
export const Name = Schema.NonEmptyString.annotations(must("must be a name, as text"))

/** @since 0.1.0 */
export const Count = Schema.Int.pipe(Schema.between(1, 1_000_000)).annotations(
  must("must be a whole number, 1 or more")
)

/**
 * @since 0.2.0
 */
export const Switch = Schema.Boolean.annotations(must("must be true or false"))

/**
 * An absolute path.
 *
 * @since 0.2.0
 */
export const AbsolutePath = Schema.String.pipe(
  Schema.filter((path) => path.startsWith("/") && !path.includes("\0"))
).annotations(must("must be an absolute path, beginning with /"))

/**
 * A whole number, 0 or more.
 *
 * @since 0.2.0
 */
export const CountFromZero = Schema.Int.pipe(Schema.between(0, 1_000_000_000)).annotations(
  must("must be a whole number, 0 or more")
)

/**
 * A duration such as `30 minutes` or `2 hours`.
 *
 * @since 0.1.0
 */
export const Span = Schema.transformOrFail(Schema.String, Schema.DurationFromSelf, {
  strict: true,
  decode: (text, _, ast) =>
    Duration.decodeUnknown(text).pipe(
      Option.filter((duration) => Duration.isFinite(duration) && Duration.greaterThan(duration, Duration.zero)),
      Option.match({
        onNone: () => ParseResult.fail(new ParseResult.Type(ast, text)),
        onSome: ParseResult.succeed
      })
    ),
  encode: (duration) => ParseResult.succeed(`${Duration.toMillis(duration)} millis`)
}).annotations(must("must be a duration with its unit, such as 30 minutes or 2 hours"))

/**
 * An amount of money.
 *
 * @since 0.2.0
 */
export const Usd = Schema.Number.pipe(Schema.filter((usd) => usd > 0 && usd <= 1e9)).annotations(
  must("must be an amount in US dollars, more than 0, such as 20 or 0.50")
)

/**
 * A number of tokens, such as `800k` or `5M`.
 *
 * @since 0.2.0
 */
export const Tokens = Schema.transformOrFail(Schema.Union(Schema.Number, Schema.String), Schema.Number, {
  strict: true,
  decode: (value, _, ast) => {
    const tokens = readTokens(String(value))
    return tokens === undefined ? ParseResult.fail(new ParseResult.Type(ast, value)) : ParseResult.succeed(tokens)
  },
  encode: (tokens) => ParseResult.succeed(tokens)
}).annotations(must("must be a number of tokens, such as 800k or 5M"))
