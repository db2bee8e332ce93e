/**
 * Finds a text in a log, case-insensitively.
 */
import * as ansi from "./ansi.js"
import type { LogText } from "./LogText.js"

/** The lines in `[from, to)` that contain the text. */
export const matches = (log: LogText, text: string, from: number, to: number): ReadonlyArray<number> => {
  const wanted = text.toLowerCase()
  const found: Array<number> = []
  for (let line = from; line < to; line++) {
    if (ansi.textOf(log.raw(line)).toLowerCase().includes(wanted)) found.push(line)
  }
  return found
}

export interface Part {
  readonly text: string
  readonly classes: string
  readonly isMatch: boolean
}

/** The pieces of a line, cut where a match begins or ends; a match may span several pieces. */
export const mark = (pieces: ReadonlyArray<ansi.Piece>, text: string): ReadonlyArray<Part> => {
  if (text === "") return pieces.map((piece) => ({ ...piece, isMatch: false }))
  const whole = pieces.map((piece) => piece.text).join("")
  const lower = whole.toLowerCase()
  // A few letters change their length with their case; then offsets would be wrong.
  if (lower.length !== whole.length) return pieces.map((piece) => ({ ...piece, isMatch: false }))
  const wanted = text.toLowerCase()
  const cuts: Array<number> = []
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, at + wanted.length)) {
    cuts.push(at, at + wanted.length)
  }
  const parts: Array<Part> = []
  let start = 0
  let cut = 0
  for (const piece of pieces) {
    const end = start + piece.text.length
    let at = start
    while (at < end) {
      while ((cuts[cut] ?? Infinity) <= at) cut += 1
      const next = Math.min(end, cuts[cut] ?? Infinity)
      parts.push({ text: whole.slice(at, next), classes: piece.classes, isMatch: cut % 2 === 1 })
      at = next
    }
    start = end
  }
  return parts
}
