/**
 * What stays on a terminal of a job that runs: a line for what has ended, or that a person should know.
 */
import { Option } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import * as Line from "../Line.js"
import * as Words from "../Words.js"
import type { Progress, Unit } from "./Progress.js"
import * as Screen from "./Screen.js"
import * as TaskEvent from "./TaskEvent.js"

export interface Around {
  /** The state after the event. */
  readonly progress: Progress
  /** The end of the output of what had failed in the unit that ends. */
  readonly tail: ReadonlyArray<string>
  readonly columns: number
}

export const lines = (event: JobEvent, { columns, progress, tail }: Around): ReadonlyArray<Line.Line> => [
  ...what(event, progress).flatMap((line) => Line.wrap(line, columns, 2)),
  ...(event.type === "unit.failed" ? Screen.quote(tail).map((line) => Line.fit(line, columns)) : [])
]

const what = (event: JobEvent, progress: Progress): ReadonlyArray<Line.Line> => {
  if (event.type === "job.started") return [[Line.raw(`job ${event.jobId}`, "faint")]]
  if (event.type === "job.resumed") return [[Line.raw(`job ${event.jobId}, resumed`, "faint")]]
  if (event.type === "job.stopping") return [[Line.raw("stopping", "faint")]]
  return Option.match(TaskEvent.decode(event), { onNone: () => [], onSome: (told) => ofTasks(progress, event, told) })
}

const ofTasks = (progress: Progress, event: JobEvent, told: TaskEvent.TaskEvent): ReadonlyArray<Line.Line> => {
  const unit = progress.units.get(event.unit ?? "")
  const name = Line.piece(event.unit ?? "", "name")
  switch (told.type) {
    case "orch.started":
      return [[Line.piece(Words.overview(told.payload), "faint")], ...skipped(progress)]
    case "unit.merged":
      return [
        [good, name, Line.raw(`  ${size(unit)}, merged as ${Words.short(told.payload.commit)}`), took(event, unit)]
      ]
    case "unit.failed":
      return [[bad, name, Line.raw("  "), Line.piece(told.payload.reason), took(event, unit)]]
    case "unit.blocked":
      return [[none, name, Line.raw("  "), Line.piece(`blocked, it waits for ${told.payload.waitsFor.join(", ")}`)]]
    case "task.noted":
      return [[note, name, Line.raw(` ${event.task ?? ""}  `), Line.piece(told.payload.note)]]
    case "orch.waiting":
      return [[note, Line.piece(`waiting: ${told.payload.reason}`)]]
    case "orch.landed":
      return [[good, Line.piece(`landed on ${told.payload.target} as ${Words.short(told.payload.commit)}`)]]
    default:
      return []
  }
}

const good = Line.raw("✓ ", "good")
const bad = Line.raw("✗ ", "bad")
const none = Line.raw("– ", "warn")
const note = Line.raw("! ", "warn")

const skipped = ({ units }: Progress): ReadonlyArray<Line.Line> =>
  [...units.values()]
    .filter(({ state }) => state === "skipped")
    .map(({ id }) => [good, Line.piece(id, "name"), Line.raw("  was complete before", "faint")])

const size = (unit: Unit | undefined): string => Words.count(unit?.tasks.size ?? 0, "task")

const took = ({ at }: JobEvent, unit: Unit | undefined): Line.Piece =>
  Line.raw(unit === undefined ? "" : `  ${Words.clock(at.epochMillis - unit.startedAt)}`, "faint")
