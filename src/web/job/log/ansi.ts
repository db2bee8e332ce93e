/**
 * Parses the output of agents and gates, with colours as classes. All other control sequences are removed, and invisible
 * characters, such as marks that change the direction of text, are replaced by their code points.
 */
import { visible } from "../../ui/visible.js"

/** The attributes set by "select graphic rendition". Colours are 0 to 15, or the nearest of these. */
export interface Style {
  readonly fg: number | undefined
  readonly bg: number | undefined
  readonly bold: boolean
  readonly dim: boolean
  readonly italic: boolean
  readonly underline: boolean
  readonly inverse: boolean
  readonly strike: boolean
}

export const plain: Style = {
  fg: undefined,
  bg: undefined,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false
}

export interface Piece {
  readonly text: string
  /** Space-separated; empty for plain text. */
  readonly classes: string
}

export interface Line {
  readonly pieces: ReadonlyArray<Piece>
  /** The style at the start of the next line. */
  readonly style: Style
}

/* oxlint-disable eslint/no-control-regex -- these are the characters to match */

/** In this order: control strings, such as titles and links; CSI sequences; other escapes. */
const sequence =
  /(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~]?)|\x1b[ -/]*[0-~]?/g

/** Whether a line contains more than plain text. */
const isSpecial = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

/* oxlint-enable eslint/no-control-regex */

/** The last text of a line that carriage returns have overwritten, such as a progress bar. */
const lastWritten = (line: string): string => {
  const end = line.endsWith("\r") ? line.replace(/\r+$/, "") : line
  const at = end.lastIndexOf("\r")
  return at === -1 ? end : end.slice(at + 1)
}

/** The plain text of a line, for searching. */
export const textOf = (line: string): string =>
  isSpecial.test(line) ? visible(lastWritten(line.replace(sequence, ""))) : line

/** The style with which the next line begins. */
export const styleAfter = (line: string, style: Style): Style =>
  line.includes("\u001b") || line.includes("\u009b") ? parseLine(line, style).style : style

export const parseLine = (line: string, start: Style): Line => {
  if (!isSpecial.test(line)) return { pieces: line === "" ? [] : [piece(line, start)], style: start }
  let style = start
  let pieces: Array<Piece> = []
  const push = (text: string): void => {
    // Text before a carriage return is overwritten; a carriage return at the end only ends the line.
    const parts = text.split("\r")
    if (parts.length > 1 && parts.slice(1).some((part) => part !== "")) pieces = []
    const last = visible(parts.findLast((part) => part !== "") ?? "")
    if (last !== "") pieces.push(piece(last, style))
  }
  let at = 0
  for (const match of line.matchAll(sequence)) {
    push(line.slice(at, match.index))
    at = match.index + match[0].length
    if (match[2] === "m") style = applyCodes(style, match[1] ?? "")
  }
  push(line.slice(at))
  return { pieces, style }
}

const piece = (text: string, style: Style): Piece => ({ text, classes: classesOf(style) })

const classesOf = ({ bg, bold, dim, fg, inverse, italic, strike, underline }: Style): string => {
  const [front, back] = inverse ? [bg ?? "inverse", fg ?? "inverse"] : [fg, bg]
  return [
    front === undefined ? "" : `fg-${front}`,
    back === undefined ? "" : `bg-${back}`,
    bold ? "bold" : "",
    dim ? "dim" : "",
    italic ? "italic" : "",
    underline ? "underline" : "",
    strike ? "strike" : ""
  ]
    .filter((name) => name !== "")
    .join(" ")
}

const applyCodes = (style: Style, parameters: string): Style => {
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)))
  let next = style
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(at + 1))
      next = { ...next, [code === 38 ? "fg" : "bg"]: colour }
      at += used
    } else next = applyCode(next, code)
  }
  return next
}

const applyCode = (style: Style, code: number): Style => {
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 }
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 }
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 }
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 }
  switch (code) {
    case 0:
      return plain
    case 1:
      return { ...style, bold: true }
    case 2:
      return { ...style, dim: true }
    case 3:
      return { ...style, italic: true }
    case 4:
      return { ...style, underline: true }
    case 7:
      return { ...style, inverse: true }
    case 9:
      return { ...style, strike: true }
    case 22:
      return { ...style, bold: false, dim: false }
    case 23:
      return { ...style, italic: false }
    case 24:
      return { ...style, underline: false }
    case 27:
      return { ...style, inverse: false }
    case 29:
      return { ...style, strike: false }
    case 39:
      return { ...style, fg: undefined }
    case 49:
      return { ...style, bg: undefined }
    default:
      return style
  }
}

/** The colour of `5;N` or `2;R;G;B`, and the number of codes it takes. */
const extended = ([mode, ...rest]: ReadonlyArray<number>): readonly [number | undefined, number] => {
  if (mode === 5) return [fromPalette(rest[0] ?? 0), 2]
  if (mode === 2) return [nearest(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), 4]
  return [undefined, 1]
}

const fromPalette = (index: number): number | undefined => {
  if (index < 16) return index
  if (index >= 232) return nearest(...grey((index - 232) * 10 + 8))
  const level = (n: number): number => (n === 0 ? 0 : n * 40 + 55)
  const cube = index - 16
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6))
}

const grey = (value: number): [number, number, number] => [value, value, value]

/** The nearest of the sixteen colours, which the themes make readable on their background. */
const nearest = (red: number, green: number, blue: number): number => {
  const most = Math.max(red, green, blue)
  const spread = most - Math.min(red, green, blue)
  if (spread < 40) return most < 64 ? 0 : most < 150 ? 8 : most < 220 ? 7 : 15
  const bit = (value: number, weight: number): number => (value > most / 2 ? weight : 0)
  return bit(red, 1) + bit(green, 2) + bit(blue, 4) + (most > 200 ? 8 : 0)
}
