/**
 * The number of changed lines of each file, as `git diff --stat` prints them.
 */
import type { DiffFile } from "../../http/contract/Diff.js"
import { raw, type Piece } from "../terminal/StyledLine.js"
import * as text from "../terminal/text.js"

const nameOf = ({ oldPath, path }: DiffFile): string =>
  text.clean(oldPath === undefined ? path : `${oldPath} => ${path}`)

const counted = (count: number, what: string): string => `${count} ${what}`

const plural = (count: number, one: string, many: string): string => counted(count, count === 1 ? one : many)

/** At least one sign for a side with any line. */
const scaled = (lines: number, most: number, room: number): number =>
  lines === 0 ? 0 : Math.max(1, most <= room ? lines : Math.floor((lines * room) / most))

const total = (files: ReadonlyArray<DiffFile>): string => {
  const [additions, deletions] = [
    files.reduce((sum, { additions }) => sum + additions, 0),
    files.reduce((sum, { deletions }) => sum + deletions, 0)
  ]
  return [
    plural(files.length, "file changed", "files changed"),
    ...(additions > 0 ? [plural(additions, "insertion(+)", "insertions(+)")] : []),
    ...(deletions > 0 ? [plural(deletions, "deletion(-)", "deletions(-)")] : [])
  ].join(", ")
}

export const of = (files: ReadonlyArray<DiffFile>, columns: number): ReadonlyArray<Piece> => {
  const most = files.reduce((most, { additions, deletions }) => Math.max(most, additions + deletions), 0)
  const digits = String(most).length
  const widest = files.reduce((widest, file) => Math.max(widest, text.width(nameOf(file))), 0)
  const nameWidth = Math.max(10, Math.min(widest, columns - digits - 20))
  const room = Math.max(5, columns - nameWidth - digits - 6)
  const lines = files.map((file) => {
    const name = text.fitEnd(nameOf(file), nameWidth)
    const start = ` ${name}${" ".repeat(Math.max(0, nameWidth - text.width(name)))} | `
    if (file.binary) return raw(`${start}${"Bin".padStart(digits)}`)
    if (file.tooLarge === true && file.additions + file.deletions === 0) return raw(`${start}too large`)
    const { additions, deletions } = file
    const signs = "+".repeat(scaled(additions, most, room)) + "-".repeat(scaled(deletions, most, room))
    return raw(`${start}${String(additions + deletions).padStart(digits)} ${signs}`.trimEnd())
  })
  return [...lines, raw(` ${total(files)}`)]
}
