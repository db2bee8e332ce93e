/**
 * The live region of a running job: a line for each running unit, the tail of the latest failing output, and a progress bar.
 * It always fits the terminal.
 */
import { DateTime } from "effect"
import * as StyledLine from "../terminal/StyledLine.js"
import type { Size } from "../terminal/Output.js"
import * as Terminal from "../terminal/text.js"
import * as format from "../terminal/format.js"
import * as waitingText from "../list/waitingText.js"
import * as Progress from "./Progress.js"

export interface View {
  readonly size: Size
  /** In milliseconds. */
  readonly now: number
  /** The last lines of the latest failing output. */
  readonly tail: ReadonlyArray<string>
}

/** Lines of failing output. */
export const maxTail = 8

/** Wider rows are hard to follow. */
const widest = 100

export const render = (progress: Progress.Progress, { now, size, tail }: View): ReadonlyArray<StyledLine.Line> => {
  const { columns, rows } = size
  // One row for the bar, and one for the cursor below.
  const room = Math.max(0, rows - 2)
  const running = [...progress.units.values()].filter(({ state }) => state === "running")
  // If units and output do not fit, at least half of the room is for units.
  const output = shorten(outputLines(progress, tail), room - Math.min(running.length, Math.ceil(room / 2)))
  const units = unitLines(running, room - output.length, Math.min(columns, widest), now)
  const parts = [units, output, [bar(progress, columns, now)]]
  const lines = apart(parts.filter((lines) => lines.length > 0))
  return (lines.length < rows ? lines : parts.flat().slice(0, Math.max(0, rows - 1))).map((line) =>
    StyledLine.fit(line, columns)
  )
}

const apart = (parts: ReadonlyArray<ReadonlyArray<StyledLine.Line>>): ReadonlyArray<StyledLine.Line> =>
  parts.flatMap((lines) => [StyledLine.empty, ...lines])

const unitLines = (
  units: ReadonlyArray<Progress.Unit>,
  room: number,
  columns: number,
  now: number
): ReadonlyArray<StyledLine.Line> => {
  const shown = units.length <= room ? units : units.slice(0, Math.max(0, room - 1))
  const names = shown.map(({ id }) => Terminal.fit(Terminal.clean(id), Math.max(8, Math.floor(columns / 4))))
  const longest = Math.max(0, ...names.map(Terminal.width))
  const lines = shown.map((unit, index) => {
    const name = names[index] ?? ""
    const padding = " ".repeat(longest - Terminal.width(name))
    const left = [...indent(columns), StyledLine.raw(name, "name"), StyledLine.raw(`${padding}  `), ...doing(unit)]
    return StyledLine.spread(
      left,
      [...phase(unit, columns), StyledLine.raw(format.clock(now - unit.since).padStart(5))],
      columns
    )
  })
  const more = units.length - shown.length
  return more === 0 || room === 0
    ? lines
    : [...lines, [...indent(columns), StyledLine.raw(`and ${more} more`, "faint")]]
}

const indent = (columns: number): StyledLine.Line => (columns < 40 ? [] : [StyledLine.raw("  ")])

const doing = ({ phase, task, tasks }: Progress.Unit): StyledLine.Line => {
  const current = task === undefined ? undefined : tasks.get(task)
  if (current !== undefined) return [StyledLine.raw(`${current.number} `, "strong"), StyledLine.piece(current.title)]
  return phase === "verify" ? [StyledLine.raw("the merged result", "faint")] : []
}

const phases: { readonly [P in Progress.Phase]: string } = {
  starting: "",
  setup: "setup",
  agent: "agent",
  slow: "agent, slow",
  limit: "awaiting agent",
  gate: "gate",
  pause: "retry delay",
  waits: "awaiting merge",
  verify: "verify"
}

/** As much of the phase as fits beside the name and the title. */
const phase = (unit: Progress.Unit, columns: number): StyledLine.Line => {
  if (columns < 30) return []
  const attempt = (unit.task === undefined ? undefined : unit.tasks.get(unit.task)?.attempt) ?? 1
  const tries = attempt < 2 ? [] : [StyledLine.raw(columns < 60 ? `×${attempt} ` : `attempt ${attempt}  `, "warn")]
  return [...tries, StyledLine.raw(`${phases[unit.phase]} `, "faint")]
}

const outputLines = (progress: Progress.Progress, tail: ReadonlyArray<string>): ReadonlyArray<StyledLine.Line> => {
  const found = Progress.failing(progress)
  if (found === undefined || progress.waiting !== undefined) return []
  const { failing, unit } = found
  const place = [unit.id, unit.task].filter((part) => part !== undefined).join(" ")
  return [
    [
      StyledLine.piece(place, "bad"),
      StyledLine.raw("  "),
      StyledLine.piece(`${failing.what} failed: ${failing.reason}`, "bad")
    ],
    ...quote(tail)
  ]
}

/** Output of other programs, set off from Charlotte's own. */
export const quote = (lines: ReadonlyArray<string>): ReadonlyArray<StyledLine.Line> =>
  lines.map((text) => [StyledLine.raw("│ ", "faint"), StyledLine.raw(text)])

/** Keeps the first line, which says what it is, and the last ones. */
const shorten = (lines: ReadonlyArray<StyledLine.Line>, room: number): ReadonlyArray<StyledLine.Line> =>
  lines.length <= room ? lines : room < 2 ? [] : [...lines.slice(0, 1), ...lines.slice(1 - room)]

const waitingLine = (
  { for: waiting, since }: NonNullable<Progress.Progress["waiting"]>,
  columns: number,
  now: number
): StyledLine.Line => [
  ...indent(columns),
  StyledLine.piece(waitingText.predicate(waiting, { now: DateTime.unsafeMake(now) }) ?? waiting.status),
  StyledLine.raw(`  ${format.clock(now - since)}`, "faint")
]

const bar = (progress: Progress.Progress, columns: number, now: number): StyledLine.Line => {
  const { done, failed, skipped, total } = Progress.counts(progress)
  if (progress.waiting !== undefined) return waitingLine(progress.waiting, columns, now)
  const elapsed = format.clock(now - (progress.startedAt ?? now))
  if (total === 0) return [...indent(columns), StyledLine.raw(`starting  ${elapsed}`, "faint")]
  const text = [
    StyledLine.raw(`${done + skipped}/${total}`, "strong"),
    ...(failed === 0 ? [] : [StyledLine.raw(`  ${failed} failed`, "bad")]),
    ...(progress.landing ? [StyledLine.raw("  landing", "faint")] : []),
    StyledLine.raw(`  ${elapsed}`, "faint")
  ]
  const room = columns - StyledLine.width([...indent(columns), ...text]) - 2
  if (room < 6) return [...indent(columns), ...text]
  const size = Math.min(40, room)
  const good = Math.floor((size * (done + skipped)) / total)
  const bad = Math.ceil((size * failed) / total)
  const pieces = [
    StyledLine.raw("━".repeat(good), "good"),
    StyledLine.raw("━".repeat(bad), "bad"),
    StyledLine.raw("─".repeat(size - good - bad), "faint")
  ]
  return [...indent(columns), ...pieces, StyledLine.raw("  "), ...text]
}
