/**
 * Schemas of path, query and header parameters. An error is one line for each field, with what was expected and the actual value.
 */
import { Duration, ParseResult, Schema } from "effect"
import type { JobConfig } from "../../domain/JobConfig.js"
import { JobId as DomainJobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { maxQueryLength } from "../../store/rules/searchText.js"
import { WhenFull, WhenKeyTaken } from "../../domain/StartOptions.js"

const maxLength = 80

const render = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

/** Replaces every message of a schema by one that names the expectation. */
const expecting =
  (expectation: string) =>
  <A, I, R>(schema: Schema.Schema<A, I, R>): Schema.Schema<A, I, R> =>
    schema.annotations({
      message: ({ actual }) => ({ message: `expected ${expectation}, got ${render(actual)}`, override: true })
    })

/** An optional parameter. `exact` keeps "or undefined" out of the messages about an invalid value. */
export const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

// Digits only: "1e3" and " 1" are probably mistakes.
const wholeNumber = Schema.String.pipe(
  Schema.pattern(/^\d{1,16}$/),
  Schema.compose(Schema.NumberFromString.pipe(Schema.filter((n) => Number.isSafeInteger(n))))
)

/** A position in a log of events or in a file. */
export const Position = wholeNumber.pipe(expecting("a whole number, 0 or more"))

/** The number of a task in its unit. */
export const TaskNumber = wholeNumber.pipe(
  Schema.filter((n) => n >= 1),
  expecting("the number of a task, 1 or more")
)

/** A position in the log of all events, or its end. */
export const Cursor = Schema.Union(Schema.Literal("latest"), wholeNumber).pipe(
  expecting('a whole number, 0 or more, or "latest"')
)

export const Limit = wholeNumber.pipe(
  Schema.filter((n) => n >= 1 && n <= 1_000),
  expecting("a whole number from 1 to 1000")
)

const day = Duration.toMillis("1 day")

/** Milliseconds, up to a day. */
export const Millis = wholeNumber.pipe(
  Schema.filter((n) => n <= day),
  Schema.compose(Schema.DurationFromMillis),
  expecting(`a whole number of milliseconds, at most ${day} (a day)`)
)

export const JobId = DomainJobId.pipe(expecting("a job id: 26 characters such as 01ARZ3NDEKTSV4RRFFQ69G5FAV"))

export const Status = RunStatus.pipe(expecting(`one of ${RunStatus.literals.join(", ")}`))

/** A text to search for. */
export const Search = Schema.String.pipe(
  Schema.maxLength(maxQueryLength),
  expecting(`a text of at most ${maxQueryLength} characters`)
)

/** The name of a kind of job. */
export const Kind = Schema.NonEmptyString.pipe(expecting("the name of a kind of job"))

/** The order of a list. */
export const Order = Schema.Literal("queue").pipe(expecting("queue"))

/** `KEY=VALUE`; the key ends at the first equals sign. */
export const Label = Schema.transformOrFail(
  Schema.String,
  Schema.Struct({ name: Schema.NonEmptyString, value: Schema.String }),
  {
    strict: true,
    decode: (text, _, ast) => {
      const end = text.indexOf("=")
      return end > 0
        ? ParseResult.succeed({ name: text.slice(0, end), value: text.slice(end + 1) })
        : ParseResult.fail(new ParseResult.Type(ast, text))
    },
    encode: ({ name, value }) => ParseResult.succeed(`${name}=${value}`)
  }
).pipe(expecting("KEY=VALUE"))

export const Flag = Schema.Literal("true", "false").pipe(
  Schema.transform(Schema.Boolean, {
    strict: true,
    decode: (text) => text === "true",
    encode: (flag) => (flag ? "true" : "false")
  }),
  expecting("true or false")
)

/** The start of a page of a diff: its two commits, since the job may commit meanwhile, and the number of files to skip. */
export const DiffPosition = Schema.String.pipe(
  Schema.pattern(/^([0-9a-f]{40}|[0-9a-f]{64})-([0-9a-f]{40}|[0-9a-f]{64})-(\d{1,9})$/),
  expecting("the value of next from another page")
)

/** 1 to 200 printable ASCII characters. */
export const IdempotencyKey = Schema.String.pipe(
  Schema.pattern(/^[\x21-\x7e]{1,200}$/),
  expecting("1 to 200 visible characters of ASCII")
)

const integer = Schema.String.pipe(Schema.pattern(/^-?\d{1,7}$/), Schema.compose(Schema.NumberFromString))

const time = Schema.DateTimeUtc.pipe(expecting("a time such as 2026-01-31T08:00:00Z"))

const choices = {
  whenFull: optional(WhenFull.pipe(expecting("refuse or queue"))),
  whenKeyTaken: optional(WhenKeyTaken.pipe(expecting("refuse, attach, replace or queue")))
}

/** The options of a start; `JobManager.start` checks their combination. */
export const startOptions = {
  ...choices,
  priority: optional(integer.pipe(expecting("a whole number from -1000000 to 1000000"))),
  startAt: optional(time),
  delay: optional(
    wholeNumber.pipe(Schema.compose(Schema.DurationFromMillis), expecting("a whole number of milliseconds"))
  ),
  key: optional(Schema.String)
}

const text = Schema.String.pipe(expecting("a text"))

/** The same options as fields of a JSON body. */
export const startFields = {
  ...choices,
  priority: optional(Schema.Number.pipe(expecting("a whole number from -1000000 to 1000000"))),
  startAt: optional(time),
  delay: optional(Schema.DurationFromMillis.pipe(expecting("a number of milliseconds, 0 or more"))),
  key: optional(text),
  idempotencyKey: optional(text)
}

const OptionFields = Schema.Struct(startFields)

/** Options of a start, as they are in a body. */
export type StartFields = typeof OptionFields.Type

/** Every wrong or unknown option is a separate issue. */
export const decodeStartFields = Schema.decodeUnknown(OptionFields, { errors: "all", onExcessProperty: "error" })

/** The body of a submission, not decoded: `JobManager.start` decodes it and reports every invalid field. */
export type Submission = typeof JobConfig.Encoded

/** US dollars. */
export const Usd = Schema.String.pipe(
  Schema.pattern(/^\d{1,9}(\.\d{1,20})?$/),
  Schema.compose(Schema.NumberFromString.pipe(Schema.positive())),
  expecting("an amount in US dollars, more than 0, such as 30 or 0.50")
)

/** A number of tokens. */
export const Tokens = wholeNumber.pipe(
  Schema.filter((n) => n >= 1),
  expecting("a whole number of tokens, 1 or more")
)
