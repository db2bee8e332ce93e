/**
 * The lines of a log as it arrives, without more memory than its text takes: lines are parsed when they are shown.
 */
import * as ansi from "./ansi.js"

export interface LogText {
  /** Adds bytes of UTF-8, which may end within a character or a line. */
  readonly append: (bytes: Uint8Array) => void
  /** Also counts the last line, which may not be complete. */
  readonly length: () => number
  /** With its escape sequences. */
  readonly raw: (line: number) => string
  readonly parse: (line: number) => ReadonlyArray<ansi.Piece>
  /** How many lines were dropped from the beginning. */
  readonly dropped: () => number
  readonly bytes: () => number
}

export interface Limits {
  /** More lines than these are dropped from the beginning: the page keeps 64 MiB or so of text at most. */
  readonly lines: number
  readonly characters: number
}

const defaults: Limits = { lines: 600_000, characters: 64 * 1024 * 1024 }

/** The style at which a line begins is kept for one line in so many. */
const every = 256

export const make = (limits: Limits = defaults): LogText => {
  const decoder = new TextDecoder()
  let lines: Array<string> = []
  /** At `n * every`, counted from the first line ever. */
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

  /** A tenth more goes than has to, so that this is rare. */
  const drop = (): void => {
    const excess = lines.length - limits.lines
    let count = excess > 0 ? excess + Math.floor(limits.lines / 10) : 0
    let removed = 0
    for (let at = 0; at < count; at++) removed += lines[at]?.length ?? 0
    while (characters - removed > limits.characters * 0.9 && count < lines.length)
      removed += lines[count++]?.length ?? 0
    // Whole blocks, so that the styles that were kept go on to fit.
    count = Math.min(lines.length, Math.ceil((dropped + count) / every) * every - dropped)
    styleAt(dropped + count)
    lines = lines.slice(count)
    dropped += count
    characters = lines.reduce((sum, { length }) => sum + length, 0)
  }

  return {
    append: (added) => {
      bytes += added.byteLength
      const parts = (open + decoder.decode(added, { stream: true })).split("\n")
      open = parts.pop() ?? ""
      for (const part of parts) {
        lines.push(part)
        characters += part.length
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
