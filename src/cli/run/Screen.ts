/**
 * The live region of a running job: a line for each running unit, the tail of the latest failing output, and a progress bar.
 * It always fits the terminal.
 */
import { activity, type Activity, failing } from "../../progress/activity.js"
import * as costs from "../../progress/cost.js"
import { placeOf } from "../../progress/eventText.js"
import { countTasks, type JobModel, type SpanKind, tasks, type Unit } from "../../progress/JobModel.js"
import type { Progress } from "../../progress/progressText.js"
import { taskProgress } from "../../progress/shownState.js"
import * as taskNotes from "../../progress/taskNotes.js"
import { condition, type Waiting } from "../../progress/waiting.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as SummaryText from "./SummaryText.js"
import type { Size } from "../terminal/Output.js"
import * as Terminal from "../terminal/text.js"
import * as format from "../terminal/format.js"

export interface View {
  readonly size: Size
  /** In milliseconds. */
  readonly now: number
  /** The last lines of the latest failing output. */
  readonly tail: ReadonlyArray<string>
  /** By unit, the last tool that its agent has used, or the last line of what it has said. */
  readonly latest?: ReadonlyMap<string, string>
  /** What a job without tasks has reported last. */
  readonly progress?: Progress | undefined
}

/** Lines of failing output. */
export const maxTail = 8

/** Rows of a terminal with room for what is known about the gates. */
const roomy = 16

/** Wider rows are hard to follow. */
const widest = 100

export const render = (
  model: JobModel,
  { latest = new Map(), now, progress, size, tail }: View
): ReadonlyArray<StyledLine.Line> => {
  const { columns, rows } = size
  const gates = rows < roomy ? [] : gateLines(model)
  // One row for the bar, and one for the cursor below.
  const room = Math.max(0, rows - 2 - (gates.length === 0 ? 0 : gates.length + 1))
  const running = [...model.units.values()].filter(({ state }) => state === "running" || state === "needs-answer")
  // If units and output do not fit, at least half of the room is for units.
  const output = shorten(outputLines(model, tail), room - Math.min(running.length, Math.ceil(room / 2)))
  const left = room - output.length
  // Without room for all of them, what agents do last is left out.
  const shown = running.length * 2 <= left ? latest : new Map<string, string>()
  const units = unitLines(running, left, Math.min(columns, widest), now, shown)
  const parts = [gates, units, output, [bar(model, progress, columns, now)]]
  const lines = apart(parts.filter((lines) => lines.length > 0))
  return (lines.length < rows ? lines : parts.flat().slice(0, Math.max(0, rows - 1))).map((line) =>
    StyledLine.fit(line, columns)
  )
}

const gateLines = (model: JobModel): ReadonlyArray<StyledLine.Line> =>
  SummaryText.gates({ gates: taskNotes.ofJob(tasks(model)) })

const apart = (parts: ReadonlyArray<ReadonlyArray<StyledLine.Line>>): ReadonlyArray<StyledLine.Line> =>
  parts.flatMap((lines) => [StyledLine.empty, ...lines])

const unitLines = (
  units: ReadonlyArray<Unit>,
  room: number,
  columns: number,
  now: number,
  latest: ReadonlyMap<string, string>
): ReadonlyArray<StyledLine.Line> => {
  const shown = units.length <= room ? units : units.slice(0, Math.max(0, room - 1))
  const names = shown.map(({ id }) => Terminal.fit(Terminal.clean(id), Math.max(8, Math.floor(columns / 4))))
  const longest = Math.max(0, ...names.map(Terminal.width))
  const lines = shown.flatMap((unit, index) => {
    const name = names[index] ?? ""
    const doing = activity(unit)
    const padding = " ".repeat(longest - Terminal.width(name))
    const left = [...indent(columns), StyledLine.raw(name, "name"), StyledLine.raw(`${padding}  `), ...work(doing)]
    const line = StyledLine.spread(
      left,
      [...phase(unit, doing, columns), StyledLine.raw(format.clock(now - doing.since).padStart(5))],
      columns
    )
    const last = doing.span?.kind === "agent" ? latest.get(unit.id) : undefined
    if (last === undefined) return [line]
    const under = [...indent(columns), StyledLine.raw(" ".repeat(longest + 2)), StyledLine.piece(last, "faint")]
    return [line, StyledLine.fit(under, columns)]
  })
  const more = units.length - shown.length
  return more === 0 || room === 0
    ? lines
    : [...lines, [...indent(columns), StyledLine.raw(`and ${more} more`, "faint")]]
}

const indent = (columns: number): StyledLine.Line => (columns < 40 ? [] : [StyledLine.raw("  ")])

const work = ({ span, task }: Activity): StyledLine.Line => {
  if (task !== undefined) return [StyledLine.raw(`${task.number} `, "strong"), StyledLine.piece(task.title)]
  return span?.kind === "verifying" ? [StyledLine.raw("the merged result", "faint")] : []
}

const phases: { readonly [K in SpanKind]: string } = {
  setup: "setup",
  agent: "agent",
  gate: "gate",
  pause: "retry delay",
  waiting: "awaiting agent",
  verifying: "verify"
}

const phaseText = ({ state, tasks }: Unit, { span, task }: Activity): string => {
  if (state === "needs-answer") return "needs an answer"
  if (span !== undefined) return `${phases[span.kind]}${span.isSlow ? ", slow" : ""}`
  const isDone =
    tasks.size > 0 && [...tasks.values()].every(({ state }) => state === "completed" || state === "skipped")
  return task === undefined && isDone ? "awaiting merge" : ""
}

/** As much of the phase as fits beside the name and the title. */
const phase = (unit: Unit, doing: Activity, columns: number): StyledLine.Line => {
  if (columns < 30) return []
  const attempt = doing.task?.attempts.at(-1)?.number ?? 1
  const tries = attempt < 2 ? [] : [StyledLine.raw(columns < 60 ? `×${attempt} ` : `attempt ${attempt}  `, "warn")]
  return [...tries, StyledLine.raw(`${phaseText(unit, doing)} `, "faint")]
}

const outputLines = (model: JobModel, tail: ReadonlyArray<string>): ReadonlyArray<StyledLine.Line> => {
  const found = failing(model)
  if (found === undefined || model.waitsFor !== undefined) return []
  const { span, unit } = found
  const place = placeOf({ unit: unit.id, task: activity(unit).task?.number })
  return [
    [
      StyledLine.piece(place, "bad"),
      StyledLine.raw("  "),
      StyledLine.piece(`${span.kind} failed: ${span.reason}`, "bad")
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

const waitingLine = ({ phases, status }: JobModel, waiting: Waiting, columns: number, now: number): StyledLine.Line => {
  const { from = now, reason } = phases.at(-1) ?? {}
  const waits = condition(waiting, { now, time: (at) => `${format.age(at - now)} from now` })
  return [
    ...indent(columns),
    StyledLine.piece(status === "parked" ? `parked ${waits}: ${reason}` : `waits ${waits}`),
    StyledLine.raw(`  ${format.clock(now - from)}`, "faint")
  ]
}

const bar = (model: JobModel, progress: Progress | undefined, columns: number, now: number): StyledLine.Line => {
  if (model.waitsFor !== undefined) return waitingLine(model, model.waitsFor, columns, now)
  const ofTasks = taskProgress(countTasks(model))
  const { failed } = ofTasks
  const { done, text: doing, total }: Progress = ofTasks.total > 0 ? ofTasks : (progress ?? ofTasks)
  const startedAt = model.phases.find(({ kind }) => kind === "running")?.from
  const elapsed = format.clock(now - (startedAt ?? now))
  const cost = costs.sum(tasks(model).map(({ cost }) => cost))
  if (total === 0) return [...indent(columns), StyledLine.raw(`starting  ${elapsed}`, "faint")]
  const text = [
    StyledLine.raw(`${done}/${total}`, "strong"),
    ...(failed === 0 ? [] : [StyledLine.raw(`  ${failed} failed`, "bad")]),
    ...(model.landing !== undefined ? [StyledLine.raw("  landing", "faint")] : []),
    StyledLine.raw(`  ${elapsed}${cost === undefined ? "" : `  ${costs.short(cost)}`}`, "faint")
  ]
  const said = doing === undefined ? [] : [StyledLine.raw("  "), StyledLine.piece(doing, "faint")]
  const room = columns - StyledLine.width([...indent(columns), ...text]) - 2
  if (room < 6) return [...indent(columns), ...text]
  const size = Math.min(doing === undefined ? 40 : 20, room)
  const good = Math.floor((size * done) / total)
  const bad = Math.ceil((size * failed) / total)
  const pieces = [
    StyledLine.raw("━".repeat(good), "good"),
    StyledLine.raw("━".repeat(bad), "bad"),
    StyledLine.raw("─".repeat(size - good - bad), "faint")
  ]
  return [...indent(columns), ...pieces, StyledLine.raw("  "), ...text, ...said]
}
