/**
 * The lines of a hunk with their tokens and the changes within lines.
 */
import { visible } from "../ui/visible.js"
import type { Language, Token } from "./languageOf.js"
import { changedPart, type DiffLine, type Hunk } from "./parsePatch.js"

export type Highlight = (text: string, language: Language) => ReadonlyArray<ReadonlyArray<Token>>

export interface TokenLine extends DiffLine {
  readonly tokens: ReadonlyArray<Token>
}

/** Grammars take too long for longer texts and lines, which are not meant to be read anyway. */
const longest = { text: 200_000, line: 2_000 }

const plain = (text: string): ReadonlyArray<Token> => (text === "" ? [] : [{ text, classes: "" }])

/** The tokens of the lines on one side, which together form a piece of the file. */
const side = (lines: ReadonlyArray<DiffLine>, highlight: Highlight | undefined, language: Language | undefined) => {
  const text = lines.map(({ text }) => text).join("\n")
  const isTooLong = text.length > longest.text || lines.some(({ text }) => text.length > longest.line)
  const tokens = highlight === undefined || language === undefined || isTooLong ? [] : highlight(text, language)
  return new Map(lines.map((line, at) => [line, tokens[at] ?? plain(line.text)]))
}

/** Splits tokens at two offsets into their text, and marks the tokens in between. */
const mark = (tokens: ReadonlyArray<Token>, from: number, to: number): ReadonlyArray<Token> => {
  let start = 0
  return tokens.flatMap(({ classes, text }) => {
    const begin = start
    start += text.length
    const cuts = [
      0,
      Math.min(text.length, Math.max(0, from - begin)),
      Math.min(text.length, Math.max(0, to - begin)),
      text.length
    ]
    return [0, 1, 2].flatMap((at) => {
      const part = text.slice(cuts[at], cuts[at + 1])
      return part === "" ? [] : [{ text: part, classes: at === 1 ? `${classes} changed`.trim() : classes }]
    })
  })
}

/** The changes within lines that replace the same number of lines. */
const changes = (lines: ReadonlyArray<DiffLine>): ReadonlyMap<DiffLine, readonly [number, number]> => {
  const found = new Map<DiffLine, readonly [number, number]>()
  let at = 0
  while (at < lines.length) {
    const removed: Array<DiffLine> = []
    const added: Array<DiffLine> = []
    for (let line = lines[at]; line?.kind === "removed"; line = lines[++at]) removed.push(line)
    for (let line = lines[at]; line?.kind === "added"; line = lines[++at]) added.push(line)
    if (removed.length === 0 && added.length === 0) at += 1
    if (removed.length !== added.length) continue
    removed.forEach((before, index) => {
      const after = added[index]
      const part = after === undefined ? undefined : changedPart(before.text, after.text)
      if (after === undefined || part === undefined) return
      found.set(before, [part[0], part[1]])
      found.set(after, [part[0], part[2]])
    })
  }
  return found
}

export const tokenLines = ({ lines }: Hunk, highlight?: Highlight, language?: Language): ReadonlyArray<TokenLine> => {
  const before = side(
    lines.filter(({ kind }) => kind === "removed" || kind === "context"),
    highlight,
    language
  )
  const after = side(
    lines.filter(({ kind }) => kind === "added" || kind === "context"),
    highlight,
    language
  )
  const parts = changes(lines)
  return lines.map((line) => {
    const tokens = (line.kind === "removed" ? before : after).get(line) ?? plain(line.text)
    const part = parts.get(line)
    const marked = part === undefined ? tokens : mark(tokens, part[0], part[1])
    return { ...line, tokens: marked.map(({ classes, text }) => ({ classes, text: visible(text) })) }
  })
}
