/**
 * Values in a path, a query or a header, which are text. A message says what was expected and what came: one line for each field.
 */
import { Duration, ParseResult, Schema } from "effect"
import type { JobConfig } from "../../domain/JobConfig.js"
import { JobId as DomainJobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"

const maxShown = 80

const shown = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
}

/** Whatever is wrong with a value, says what it should be. */
const expecting =
  (expectation: string) =>
  <A, I, R>(schema: Schema.Schema<A, I, R>): Schema.Schema<A, I, R> =>
    schema.annotations({
      message: ({ actual }) => ({ message: `expected ${expectation}, got ${shown(actual)}`, override: true })
    })

/** An optional parameter. When it is there and wrong, its message does not say that it could be missing. */
export const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

// Not the other ways to write a number: "1e3" and " 1" are mistakes more often than they are meant.
const wholeNumber = Schema.String.pipe(
  Schema.pattern(/^\d{1,16}$/),
  Schema.compose(Schema.NumberFromString.pipe(Schema.filter((n) => Number.isSafeInteger(n))))
)

/** A position in a log of events or in a file. */
export const Position = wholeNumber.pipe(expecting("a whole number, 0 or more"))

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

/** Tells one submission from another; up to 200 visible characters of ASCII. */
export const IdempotencyKey = Schema.String.pipe(
  Schema.pattern(/^[\x21-\x7e]{1,200}$/),
  expecting("1 to 200 visible characters of ASCII")
)

/** The body of a submission. It is passed on as it came: `JobManager.start` decodes it, and names every bad field. */
export type Submission = typeof JobConfig.Encoded
