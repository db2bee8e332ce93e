/**
 * Text of unknown origin with everything taken out of it that a terminal, or a reader, would obey rather than show.
 */

/* oxlint-disable eslint/no-control-regex -- these are what is looked for */

/** What is said to the terminal itself, such as a title. It never reaches beyond its line, even if nothing ends it. */
const strings = /(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?/g
/** Colours, movements of the cursor, and the like. */
const sequences = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?/g
const escapes = /\x1b[ -/]*[0-~]?/g

/* oxlint-enable eslint/no-control-regex */

/** Control characters but tabs and line breaks, and the marks that turn the direction of writing. */
const controls = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

/** Only visible characters, tabs and `\n`; of a line that was written over, what it came to. */
export const strip = (text: string): string =>
  text
    .replace(strings, "")
    .replace(sequences, "")
    .replace(escapes, "")
    .split("\n")
    .map(lastWritten)
    .join("\n")
    .replace(controls, "")

/** The same, as one line: nothing in it can pass for another. */
export const line = (text: string): string =>
  strip(text)
    .trim()
    .replace(/\s*\n\s*/g, " ")

const lastWritten = (line: string): string => line.replace(/\r+$/, "").split("\r").at(-1) ?? ""
