/**
 * Frontmatter: the YAML between two `---` lines at the start of a Markdown file.
 */
import { Either } from "effect"
import { Diagnostic } from "../../yaml/Diagnostic.js"

export interface Frontmatter {
  /** The text before the YAML: the first line, with the byte order mark if there is one. */
  readonly opening: string
  readonly yaml: string
  /** The text after the YAML: the closing line and the body. */
  readonly closing: string
  /** The text below the closing line. */
  readonly body: string
}

/** The line of the file on which the YAML starts. */
export const firstLine = 2

const opener = /^\uFEFF?---[ \t]*\r?\n/

/** Splits a text so that `opening + yaml + closing` equals it, byte for byte. */
export const split = (text: string): Either.Either<Frontmatter, "missing" | "unclosed"> => {
  const opening = opener.exec(text)?.[0]
  if (opening === undefined) return Either.left("missing")
  const closer = /(?<=\n)---[ \t]*(?:\r?\n|$)/g
  closer.lastIndex = opening.length
  const match = closer.exec(text)
  if (match === null) return Either.left("unclosed")
  return Either.right({
    opening,
    yaml: text.slice(opening.length, match.index),
    closing: text.slice(match.index),
    body: text.slice(match.index + match[0].length)
  })
}

/** The diagnostic for a file without valid frontmatter. */
export const problem = (file: string, reason: "missing" | "unclosed"): Diagnostic =>
  new Diagnostic({
    file,
    line: 1,
    message:
      reason === "missing"
        ? "has no frontmatter: begin the file with a line ---, then its keys, then another line ---"
        : "has unterminated frontmatter: add a line --- below its keys"
  })
