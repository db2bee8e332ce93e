/**
 * What is wrong with a request, one line for each field, in place of the tree that Effect prints.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import { ParseResult } from "effect"

type Issues = HttpApiDecodeError["issues"]

/** Of a union, each member has an issue at the same field: the first says enough. */
const firstOfEach = (issues: Issues): Issues => {
  const paths = issues.map(({ path }) => JSON.stringify(path))
  return issues.filter((_, at) => paths.indexOf(paths[at] ?? "") === at)
}

const line = ({ message, path }: Issues[number]): string =>
  (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`).replaceAll(/\s*\n\s*/g, " ")

export const inLines = (issues: Issues): HttpApiDecodeError => {
  const first = firstOfEach(issues)
  return new HttpApiDecodeError({ issues: first, message: first.map(line).join("\n") })
}

export const fromParseError = (error: ParseResult.ParseError): HttpApiDecodeError =>
  inLines(ParseResult.ArrayFormatter.formatErrorSync(error))
