/**
 * The lines of a log as it arrives. Only their text is kept: lines are parsed when they are shown.
 */
import * as ansi from "./ansi.js"

export interface LogText {
  /** Adds bytes of UTF-8, which may end within a character or a line. */
  readonly append: (bytes: Uint8Array) => void
  /** Includes the last line, which may be incomplete. */
  readonly length: () => number
  /** The line with its escape sequences. */
  readonly raw: (line: number) => string
  readonly parse: (line: number) => ReadonlyArray<ansi.Piece>
  /** The number of lines dropped from the beginning. */
  readonly dropped: () => number
  readonly bytes: () => number
}

export interface Limits {
  /** Lines beyond these limits are dropped from the beginning. */
  readonly lines: number
  readonly characters: number
  /** Longer lines are split, in characters: an endless line could not be dropped. */
  readonly line: number
}

const defaults: Limits = { lines: 600_000, characters: 64 * 1024 * 1024, line: 1024 * 1024 }

/** The start style of one line in this many is kept. */
const every = 256

export const make = (limits: Limits = defaults): LogText => {
  const decoder = new TextDecoder()
  let lines: Array<string> = []
  /** The style at line `n * every`, counted from the first line ever. */
  const styles: Array<ansi.Style> = [ansi.plain]
  let open = ""
  let bytes = 0
  let characters = 0
  let dropped = 0

  const styleAt = (line: number): ansi.Style => {
    const index = Math.floor(line / every)
    while (styles.length <= index) {
      const start = (styles.length - 1) * every
      let style = styles.at(-1) ?? ansi.plain
      for (let at = start; at < start + every; at++) style = ansi.styleAfter(lines[at - dropped] ?? "", style)
      styles.push(style)
    }
    let style = styles[index] ?? ansi.plain
    for (let at = Math.max(index * every, dropped); at < line; at++) {
      style = ansi.styleAfter(lines[at - dropped] ?? "", style)
    }
    return style
  }

  /** Drops a tenth more than necessary, so that drops are rare. */
  const drop = (): void => {
    const excess = lines.length - limits.lines
    let count = excess > 0 ? excess + Math.floor(limits.lines / 10) : 0
    let removed = 0
    for (let at = 0; at < count; at++) removed += lines[at]?.length ?? 0
    while (characters - removed > limits.characters * 0.9 && count < lines.length)
      removed += lines[count++]?.length ?? 0
    // Drop whole blocks, so that the kept styles stay aligned.
    count = Math.min(lines.length, Math.ceil((dropped + count) / every) * every - dropped)
    styleAt(dropped + count)
    lines = lines.slice(count)
    dropped += count
    characters = lines.reduce((sum, { length }) => sum + length, 0)
  }

  const push = (line: string): void => {
    lines.push(line)
    characters += line.length
  }

  /** Appends to the last line, and splits it where it gets too long. */
  const extend = (text: string): void => {
    open += text
    while (open.length > limits.line) {
      push(open.slice(0, limits.line))
      open = open.slice(limits.line)
    }
  }

  return {
    append: (added) => {
      bytes += added.byteLength
      for (const [at, part] of decoder.decode(added, { stream: true }).split("\n").entries()) {
        if (at > 0) {
          push(open)
          open = ""
        }
        extend(part)
      }
      if (lines.length > limits.lines || characters > limits.characters) drop()
    },
    length: () => lines.length + (open === "" ? 0 : 1),
    raw: (line) => lines[line] ?? (line === lines.length ? open : ""),
    parse: (line) => ansi.parseLine(lines[line] ?? (line === lines.length ? open : ""), styleAt(line + dropped)).pieces,
    dropped: () => dropped,
    bytes: () => bytes
  }
}
