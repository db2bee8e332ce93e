/**
 * The lines of a hunk side by side.
 */
import type { DiffLine } from "./parsePatch.js"

export interface Pair<Line> {
  readonly before: Line | undefined
  readonly after: Line | undefined
}

/** Removed lines stand beside the lines that replace them. */
export const pairs = <Line extends Pick<DiffLine, "kind">>(lines: ReadonlyArray<Line>): ReadonlyArray<Pair<Line>> => {
  const all: Array<Pair<Line>> = []
  let at = 0
  while (at < lines.length) {
    const removed: Array<Line> = []
    const added: Array<Line> = []
    for (let line = lines[at]; line?.kind === "removed" || isNoteOf(line, removed); line = lines[++at])
      if (line !== undefined) removed.push(line)
    for (let line = lines[at]; line?.kind === "added" || isNoteOf(line, added); line = lines[++at])
      if (line !== undefined) added.push(line)
    const longer = Math.max(removed.length, added.length)
    for (let row = 0; row < longer; row++) all.push({ before: removed[row], after: added[row] })
    const line = lines[at]
    if (longer > 0 || line === undefined) continue
    all.push({ before: line, after: line })
    at += 1
  }
  return all
}

/** A note, such as that the file has no newline at its end, belongs to the line before it. */
const isNoteOf = <Line extends Pick<DiffLine, "kind">>(line: Line | undefined, lines: ReadonlyArray<Line>): boolean =>
  line?.kind === "note" && lines.length > 0
