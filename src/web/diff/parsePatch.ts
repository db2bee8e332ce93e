/**
 * Parses the patch of a file, as git writes it, into hunks of numbered lines.
 */

export interface DiffLine {
  readonly kind: "context" | "added" | "removed" | "note"
  readonly text: string
  /** Line numbers before and after, from 1. */
  readonly before: number | undefined
  readonly after: number | undefined
}

export interface Hunk {
  /** The section that git names, such as a function. */
  readonly heading: string
  readonly lines: ReadonlyArray<DiffLine>
}

const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/

const countOf = (text: string | undefined): number => (text === undefined ? 1 : Number(text))

export const parsePatch = (patch: string): ReadonlyArray<Hunk> => {
  const hunks: Array<{ heading: string; lines: Array<DiffLine> }> = []
  let before = 0
  let after = 0
  // Count lines by the numbers in the header: a removed line may itself begin with "@@" or "--".
  let left = { before: 0, after: 0 }
  for (const line of patch.split("\n")) {
    const isInside = left.before > 0 || left.after > 0
    const found = isInside ? null : header.exec(line)
    if (found !== null) {
      before = Number(found[1])
      after = Number(found[3])
      left = { before: countOf(found[2]), after: countOf(found[4]) }
      hunks.push({ heading: found[5] ?? "", lines: [] })
      continue
    }
    const hunk = hunks.at(-1)
    if (hunk === undefined) continue
    const text = line.slice(1)
    if (line.startsWith("\\")) hunk.lines.push({ kind: "note", text: text.trim(), before: undefined, after: undefined })
    else if (!isInside) continue
    else if (line.startsWith("+")) {
      hunk.lines.push({ kind: "added", text, before: undefined, after: after++ })
      left.after -= 1
    } else if (line.startsWith("-")) {
      hunk.lines.push({ kind: "removed", text, before: before++, after: undefined })
      left.before -= 1
    } else {
      hunk.lines.push({ kind: "context", text, before: before++, after: after++ })
      left = { before: left.before - 1, after: left.after - 1 }
    }
  }
  return hunks
}

/** The part of a line that differs from the line it replaces, if the rest is long enough to be worth marking. */
export const changedPart = (
  before: string,
  after: string
): readonly [start: number, endBefore: number, endAfter: number] | undefined => {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start += 1
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1
  const common = start + end
  return common === 0 || common < shorter / 2 ? undefined : [start, before.length - end, after.length - end]
}
