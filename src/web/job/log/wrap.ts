/**
 * Breaks lines at the width of the view, so that all rows have the same height and a view of a million lines knows which rows it
 * shows.
 */
import type { LogText } from "./LogText.js"
import * as ansi from "./ansi.js"

/** Characters that are certainly one column wide. */
const narrow = /^[\x20-\x7e\u00a0-\u02ff]*$/

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Joiners and combining characters. */
const nothing = /\p{M}|\p{Cf}/u

const tabWidth = 8

const widthOf = (char: string, column: number): number => {
  if (char === "\t") return tabWidth - (column % tabWidth)
  if (narrow.test(char)) return 1
  return nothing.test(char) ? 0 : wide.test(char) ? 2 : 1
}

/** Where each row of a text begins. */
export const breaks = (text: string, columns: number): ReadonlyArray<number> => {
  if (narrow.test(text)) {
    return Array.from({ length: Math.max(1, Math.ceil(text.length / columns)) }, (_, row) => row * columns)
  }
  const starts = [0]
  let column = 0
  let at = 0
  for (const char of text) {
    const width = widthOf(char, column)
    if (column + width > columns && column > 0) {
      starts.push(at)
      column = 0
    }
    column += width
    at += char.length
  }
  return starts
}

const rowCount = (text: string, columns: number): number =>
  narrow.test(text) ? Math.max(1, Math.ceil(text.length / columns)) : breaks(text, columns).length

export interface Place {
  readonly line: number
  /** Within its line, from 0. */
  readonly part: number
}

export interface Rows {
  /** Adds the rows of text that was added to the log. */
  readonly update: () => void
  readonly count: () => number
  readonly placeOf: (row: number) => Place
  readonly rowOf: (line: number) => number
}

export const make = (log: LogText, columns: number): Rows => {
  /** The row after the last row of each line. */
  let ends: Array<number> = []
  let dropped = log.dropped()
  return {
    update: () => {
      if (log.dropped() !== dropped) {
        ends = []
        dropped = log.dropped()
      }
      // The last line may have been incomplete.
      ends.pop()
      for (let line = ends.length; line < log.length(); line++) {
        ends.push((ends.at(-1) ?? 0) + rowCount(ansi.textOf(log.raw(line)), columns))
      }
    },
    count: () => ends.at(-1) ?? 0,
    placeOf: (row) => {
      let low = 0
      let high = ends.length - 1
      while (low < high) {
        const middle = (low + high) >> 1
        if ((ends[middle] ?? 0) > row) high = middle
        else low = middle + 1
      }
      return { line: low, part: row - (ends[low - 1] ?? 0) }
    },
    rowOf: (line) => ends[line - 1] ?? 0
  }
}

/** The part of pieces between two offsets into their text. */
export const cut = <A extends { readonly text: string }>(
  pieces: ReadonlyArray<A>,
  from: number,
  to: number
): ReadonlyArray<A> => {
  let start = 0
  return pieces.flatMap((piece) => {
    const begin = start
    start += piece.text.length
    const text = piece.text.slice(Math.max(0, from - begin), Math.max(0, to - begin))
    return text === "" ? [] : [{ ...piece, text }]
  })
}
