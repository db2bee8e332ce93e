/**
 * A line of output: pieces of clean text, each with a style. It is laid out first and coloured last.
 */
import { styleText } from "node:util"
import * as Terminal from "./text.js"

const formats = {
  strong: "bold",
  faint: "dim",
  bad: "red",
  good: "green",
  warn: "yellow",
  name: "cyan"
} as const

export type Style = "plain" | keyof typeof formats

export interface Piece {
  readonly text: string
  readonly style: Style
}

export type Line = ReadonlyArray<Piece>

export const empty: Line = []

/** A piece of untrusted text. */
export const piece = (text: string, style: Style = "plain"): Piece => ({ text: Terminal.clean(text), style })

/** A piece of trusted text, whose spaces are kept. */
export const raw = (text: string, style: Style = "plain"): Piece => ({ text, style })

/** A line of untrusted text, whose indentation is kept. */
export const verbatim = (text: string, style: Style = "plain"): Piece => ({
  text: Terminal.cleanLines(text).join(" "),
  style
})

export const width = (line: Line): number => line.reduce((sum, { text }) => sum + Terminal.width(text), 0)

/** Cut to the given number of columns. */
export const fit = (line: Line, columns: number): Line => {
  if (width(line) <= columns) return line
  const kept: Array<Piece> = []
  // One column is kept for "…", also if only a later piece is cut.
  let left = columns
  for (const piece of line) {
    const size = Terminal.width(piece.text)
    if (size >= left) return [...kept, { ...piece, text: Terminal.fit(`${piece.text}  `, left) }]
    kept.push(piece)
    left -= size
  }
  return kept
}

/** Left and right parts of a row; the left one is cut if necessary. */
export const spread = (left: Line, right: Line, columns: number): Line => {
  const room = columns - width(right)
  if (room < 3) return fit(right, columns)
  const start = fit(left, room - 2)
  return [...start, raw(" ".repeat(room - width(start))), ...right]
}

/** Wrapped between words, all lines but the first indented. A word that is too wide stays whole: it may be a path. */
export const wrap = (line: Line, columns: number, indent: number): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  let current: Line = empty
  for (const { style, text } of line) {
    for (const word of text.match(/ *[^ ]+| +$/g) ?? []) {
      const isFull = current.length > 0 && width(current) + Terminal.width(word) > columns
      if (isFull) lines.push(current)
      current = isFull
        ? [raw(" ".repeat(indent)), { style, text: word.trimStart() }]
        : [...current, { style, text: word }]
    }
  }
  return [...lines, current]
}

/** The text to write; without colours it contains no escape sequence. */
export const paint = (line: Line, colours: boolean): string =>
  line
    .map(({ style, text }) =>
      colours && style !== "plain" ? styleText(formats[style], text, { validateStream: false }) : text
    )
    .join("")
    .trimEnd()
