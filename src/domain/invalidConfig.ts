/**
 * The error for a configuration or an option that does not decode.
 */
import { ParseResult } from "effect"
import { InvalidJobConfig } from "./errors.js"

export const invalidConfig = (error: ParseResult.ParseError): InvalidJobConfig => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => ({
    path: path.map((key) => (typeof key === "number" ? key : String(key))),
    message
  }))
  // A bad optional field is reported twice: with its expected type, and as not missing either.
  return new InvalidJobConfig({
    issues: issues.filter(
      (issue) =>
        !issue.message.startsWith("Expected undefined, actual") ||
        !issues.some((other) => other !== issue && issue.path.every((key, i) => other.path[i] === key))
    )
  })
}
