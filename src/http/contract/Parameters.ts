/**
 * What stands in a query or a header, which are text.
 */
import { Duration, ParseResult, Schema } from "effect"
import type { JobConfig } from "../../domain/JobConfig.js"

/** One that is there is told what is wrong with it, and not also that it could be missing. */
export const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

const wholeNumber = Schema.NumberFromString.pipe(
  Schema.filter((n) => (Number.isSafeInteger(n) && n >= 0) || "must be a whole number, 0 or more")
)

/** A position in a log of events or in a file. */
export const Position = Schema.String.pipe(
  // Not the other ways to write a number: "1e3" and " 1" are mistakes more often than they are meant.
  Schema.pattern(/^\d{1,16}$/, { message: () => "must be a whole number, 0 or more" }),
  Schema.compose(wholeNumber)
)

export const Limit = Position.pipe(Schema.filter((n) => (n >= 1 && n <= 1_000) || "must be from 1 to 1000"))

const day = Duration.toMillis("1 day")

/** Milliseconds, up to a day. */
export const Millis = Position.pipe(
  Schema.filter((n) => n <= day || `must be ${day} at the most: milliseconds of a day`),
  Schema.compose(Schema.DurationFromMillis)
)

/** `name:value`; the name ends at the first colon. */
export const Label = Schema.transformOrFail(
  Schema.String,
  Schema.Struct({ name: Schema.NonEmptyString, value: Schema.String }),
  {
    strict: true,
    decode: (text, _, ast) => {
      const colon = text.indexOf(":")
      return colon > 0
        ? ParseResult.succeed({ name: text.slice(0, colon), value: text.slice(colon + 1) })
        : ParseResult.fail(new ParseResult.Type(ast, text, "must be name:value"))
    },
    encode: ({ name, value }) => ParseResult.succeed(`${name}:${value}`)
  }
)

export const Flag = Schema.Literal("true", "false").pipe(
  Schema.transform(Schema.Boolean, {
    strict: true,
    decode: (text) => text === "true",
    encode: (flag) => (flag ? "true" : "false")
  })
)

/** What one submission is told from another by; up to 200 visible characters of ASCII. */
export const IdempotencyKey = Schema.String.pipe(
  Schema.pattern(/^[\x21-\x7e]{1,200}$/, { message: () => "must be 1 to 200 visible characters of ASCII" })
)

/** The body of a submission. It is passed on as it came: `JobManager.start` decodes it, and names every bad field. */
export type Submission = typeof JobConfig.Encoded
