/**
 * The YAML between two lines of `---` at the very beginning of a Markdown file.
 */
import { Either } from "effect"
import { Diagnostic } from "../../yaml/Diagnostic.js"

export interface Frontmatter {
  /** What stands before the YAML: the first line, and a byte order mark if there is one. */
  readonly opening: string
  readonly yaml: string
  /** What stands after it: the closing line and all the rest. */
  readonly closing: string
  /** The text below the closing line. */
  readonly body: string
}

/** The YAML begins on this line of the file. */
export const firstLine = 2

const opener = /^\uFEFF?---[ \t]*\r?\n/

/** `opening + yaml + closing` is the text again, byte for byte. */
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

/** What a file is told that should have frontmatter. */
export const problem = (file: string, reason: "missing" | "unclosed"): Diagnostic =>
  new Diagnostic({
    file,
    line: 1,
    message:
      reason === "missing"
        ? "has no frontmatter: begin the file with a line ---, then its keys, then another line ---"
        : "has frontmatter that never ends: put a line --- below its keys"
  })
