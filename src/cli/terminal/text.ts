/**
 * Makes untrusted text (titles, logs, errors) safe for a terminal: without control sequences or changes of direction, and cut to
 * a number of columns.
 */
import { eastAsianWidth } from "get-east-asian-width"
import { strip } from "../../internal/plainText.js"

/** Line and paragraph separators, lone surrogates, and format characters other than joiners. */
const unseen = /[\p{Zl}\p{Zp}\p{Cs}]|[^\P{Cf}\u200c\u200d]/gu

/** One line of visible text. */
export const clean = (text: string): string => strip(text).replace(unseen, "").replace(/\s+/g, " ").trim()

/** The lines of a text with their indentation, without trailing blank lines. */
export const cleanLines = (text: string): ReadonlyArray<string> =>
  strip(text)
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll("\t", "    ").replace(unseen, "").trimEnd())

/** Most text, including the symbols and lines that the command itself draws; the width of other text needs tables. */
const plain = /^[ -~·×–…→─-╿▸✓✗]*$/

let segmenter: Intl.Segmenter | undefined

const graphemes = (text: string): Iterable<Intl.SegmentData> => (segmenter ??= new Intl.Segmenter()).segment(text)

const emoji = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\u20e3/u

const takesNoColumn = /[\p{Default_Ignorable_Code_Point}\p{Mn}\p{Me}\p{Cc}\p{Cf}\p{Cs}]/u

/** Marks that take separate columns, also after an emoji. */
const spacingMark = /[\p{Mc}\uff00-\uffef]/u

const sumOfWidths = (characters: ReadonlyArray<string>): number =>
  characters.reduce((sum, character) => sum + eastAsianWidth(character.codePointAt(0) ?? 0), 0)

/** The width of one grapheme, normalised so that a Hangul syllable counts once. */
const graphemeWidth = (grapheme: string): number =>
  emoji.test(grapheme)
    ? 2 + sumOfWidths(Array.from(grapheme).filter((character) => spacingMark.test(character)))
    : sumOfWidths(Array.from(grapheme.normalize()).filter((character) => !takesNoColumn.test(character)))

/**
 * The width of a clean text in columns. Does not use `string-width` 8, whose regular expressions take 50 ms to compile in each command
 * (`node -e 'console.time(); require("string-width"); console.timeEnd()'`).
 */
export const width = (text: string): number =>
  plain.test(text)
    ? text.length
    : Array.from(graphemes(text)).reduce((sum, { segment }) => sum + graphemeWidth(segment), 0)

/** A clean text, cut at its end with `…` if it is too wide. */
export const fit = (text: string, columns: number): string => {
  if (width(text) <= columns) return text
  let kept = ""
  let left = columns - 1
  for (const { segment } of graphemes(text)) {
    left -= width(segment)
    if (left < 0) break
    kept += segment
  }
  return columns < 1 ? "" : `${kept}…`
}

/** The same, cut at its start: the end of a path says more. */
export const fitEnd = (text: string, columns: number): string => {
  if (width(text) <= columns) return text
  let kept = ""
  let left = columns - 1
  for (const { segment } of [...graphemes(text)].reverse()) {
    left -= width(segment)
    if (left < 0) break
    kept = segment + kept
  }
  return columns < 1 ? "" : `…${kept}`
}

/** A clean text in lines, broken between words. */
export const wrap = (text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && width(last) + 1 + width(word) <= columns) lines.splice(-1, 1, `${last} ${word}`)
    else lines.push(word)
  }
  return lines
}
