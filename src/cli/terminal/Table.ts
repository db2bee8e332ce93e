/**
 * A table that fits the terminal: columns are cut, then omitted.
 */
import { Array } from "effect"
import * as StyledLine from "./StyledLine.js"
import * as Terminal from "./text.js"

export interface Column {
  readonly title: string
  readonly cells: ReadonlyArray<StyledLine.Piece>
  readonly align?: "left" | "right"
  /** May be cut to this many columns, at its end or (paths) at its start. */
  readonly least?: number
  readonly cut?: "start" | "end"
  /** May be omitted; the lowest rank first. */
  readonly rank?: number
}

/** Spaces between two columns. */
const gap = 2

const total = (widths: ReadonlyArray<number>): number => widths.reduce((sum, width) => sum + width + gap, -gap)

const natural = ({ cells, title }: Column): number =>
  Math.max(Terminal.width(title), ...cells.map(({ text }) => Terminal.width(text)))

const least = (column: Column): number => Math.min(natural(column), column.least ?? Infinity)

/** The columns that fit; empty ones with a rank are omitted. */
const chosen = (columns: ReadonlyArray<Column>, room: number): ReadonlyArray<Column> => {
  const rest = columns.filter(({ cells, rank }) => rank === undefined || cells.some(({ text }) => text !== ""))
  const first = rest.reduce<Column | undefined>(
    (first, column) => ((column.rank ?? Infinity) < (first?.rank ?? Infinity) ? column : first),
    undefined
  )
  return first === undefined || total(rest.map(least)) <= room
    ? rest
    : chosen(
        rest.filter((column) => column !== first),
        room
      )
}

/** Cuts the widest column, one character at a time, until the row fits. */
const fitted = (columns: ReadonlyArray<Column>, room: number): ReadonlyArray<number> => {
  const widths = columns.map(natural)
  for (let excess = total(widths) - room; excess > 0; excess--) {
    const slack = widths.map((width, index) => (width > least(columns[index] ?? { title: "", cells: [] }) ? width : 0))
    const widest = slack.indexOf(Math.max(...slack))
    if (slack[widest] === 0) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

const cell = ({ align, cut }: Column, piece: StyledLine.Piece, width: number): StyledLine.Line => {
  const text = cut === "start" ? Terminal.fitEnd(piece.text, width) : Terminal.fit(piece.text, width)
  const blanks = StyledLine.raw(" ".repeat(width - Terminal.width(text)))
  return align === "right" ? [blanks, { ...piece, text }] : [{ ...piece, text }, blanks]
}

/** A title line, and a line for each row. */
export const render = (columns: ReadonlyArray<Column>, room: number): ReadonlyArray<StyledLine.Line> => {
  const shown = chosen(columns, room)
  const widths = fitted(shown, room)
  const line = (pieceOf: (column: Column) => StyledLine.Piece): StyledLine.Line =>
    shown.flatMap((column, index) => [
      ...(index === 0 ? [] : [StyledLine.raw(" ".repeat(gap))]),
      ...cell(column, pieceOf(column), widths[index] ?? 0)
    ])
  const rows = Math.max(0, ...shown.map(({ cells }) => cells.length))
  return [
    line(({ title }) => StyledLine.raw(title, "faint")),
    ...Array.makeBy(rows, (row) => line(({ cells }) => cells[row] ?? StyledLine.raw(""))).slice(0, rows)
  ]
}
