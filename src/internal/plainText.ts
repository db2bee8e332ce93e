/**
 * Strips control sequences and direction marks, which a terminal would obey rather than show, from untrusted text.
 */

/* oxlint-disable eslint/no-control-regex -- these are the characters to match */

/** Terminal control strings, such as a window title; cut at the end of the line if unterminated. */
const strings = /(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?/g
/** CSI sequences: colours, cursor movements, and the like. */
const sequences = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?/g
const escapes = /\x1b[ -/]*[0-~]?/g

/* oxlint-enable eslint/no-control-regex */

/** Control characters other than tab and line feed, and marks that change the text direction. */
const controls = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

/** Keeps visible characters, tabs and `\n`; of a line overwritten with carriage returns, keeps the last version. */
export const strip = (text: string): string =>
  text
    .replace(strings, "")
    .replace(sequences, "")
    .replace(escapes, "")
    .split("\n")
    .map(lastWritten)
    .join("\n")
    .replace(controls, "")

/** Like `strip`, but joined to a single line, so that the text cannot imitate another line. */
export const line = (text: string): string =>
  strip(text)
    .trim()
    .replace(/\s*\n\s*/g, " ")

/** The first names of a list, and the number of the others: `a, b and 3 more`. */
export const few = (names: ReadonlyArray<string | number>, most: number): string => {
  const rest = names.length > most ? ` and ${names.length - most} more` : ""
  return names.slice(0, most).join(", ") + rest
}

const lastWritten = (line: string): string => line.replace(/\r+$/, "").split("\r").at(-1) ?? ""
