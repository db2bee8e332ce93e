/**
 * Decode errors with one line for each field, instead of Effect's tree.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import { ParseResult } from "effect"

type Issues = HttpApiDecodeError["issues"]

/** Each member of a union reports an issue for the same field; the first suffices. */
const firstOfEach = (issues: Issues): Issues => {
  const paths = issues.map(({ path }) => JSON.stringify(path))
  return issues.filter((_, at) => paths.indexOf(paths[at] ?? "") === at)
}

const line = ({ message, path }: Issues[number]): string =>
  (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`).replaceAll(/\s*\n\s*/g, " ")

export const decodeErrorFromIssues = (issues: Issues): HttpApiDecodeError => {
  const first = firstOfEach(issues)
  return new HttpApiDecodeError({ issues: first, message: first.map(line).join("\n") })
}

export const decodeErrorFromParseError = (error: ParseResult.ParseError): HttpApiDecodeError =>
  decodeErrorFromIssues(ParseResult.ArrayFormatter.formatErrorSync(error))
