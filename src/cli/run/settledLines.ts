/**
 * The permanent lines above the live region: what has ended, and notes.
 */
import { DateTime, Option } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import * as waitingText from "../list/waitingText.js"
import * as Progress from "./Progress.js"
import * as Screen from "./Screen.js"
import * as TaskEvent from "./TaskEvent.js"
import * as WaitingEvent from "./WaitingEvent.js"

export interface Around {
  /** The state after the event. */
  readonly progress: Progress.Progress
  /** The last lines of the output that failed the unit. */
  readonly tail: ReadonlyArray<string>
  readonly columns: number
}

export const lines = (event: JobEvent, { columns, progress, tail }: Around): ReadonlyArray<StyledLine.Line> => [
  ...what(event, progress).flatMap((line) => StyledLine.wrap(line, columns, 2)),
  ...(event.type === "unit.failed" ? Screen.quote(tail).map((line) => StyledLine.fit(line, columns)) : [])
]

const what = (event: JobEvent, progress: Progress.Progress): ReadonlyArray<StyledLine.Line> => {
  if (event.type === "job.started") {
    return [[StyledLine.raw(`job ${event.jobId}${event.seq === 1 ? "" : ", started"}`, "faint")]]
  }
  if (event.type === "job.resumed") return [[StyledLine.raw(`job ${event.jobId}, resumed`, "faint")]]
  if (event.type === "job.stopping") return [[StyledLine.raw("stopping", "faint")]]
  if (progress.waiting !== undefined && Progress.statusAfter(event) === progress.status) {
    const waits = waitingText.predicate(progress.waiting.for, { now: event.at })
    return [[StyledLine.raw(`job ${event.jobId} `, "faint"), StyledLine.piece(waits ?? progress.status)]]
  }
  const signal = WaitingEvent.signal(event)
  if (Option.isSome(signal)) return [[note, StyledLine.raw("signal "), StyledLine.piece(signal.value)]]
  return Option.match(TaskEvent.decode(event), {
    onNone: () => [],
    onSome: (taskEvent) => ofTasks(progress, event, taskEvent)
  })
}

const ofTasks = (
  progress: Progress.Progress,
  event: JobEvent,
  taskEvent: TaskEvent.TaskEvent
): ReadonlyArray<StyledLine.Line> => {
  const unit = progress.units.get(event.unit ?? "")
  const name = StyledLine.piece(event.unit ?? "", "name")
  switch (taskEvent.type) {
    case "orch.started":
      return [[StyledLine.piece(format.overview(taskEvent.payload), "faint")], ...skipped(progress)]
    case "unit.merged":
      return [
        [
          good,
          name,
          StyledLine.raw(`  ${size(unit)}, merged as ${format.short(taskEvent.payload.commit)}`),
          took(event, unit)
        ]
      ]
    case "unit.failed":
      return [[bad, name, StyledLine.raw("  "), StyledLine.piece(taskEvent.payload.reason), took(event, unit)]]
    case "unit.blocked":
      return [
        [none, name, StyledLine.raw("  "), StyledLine.piece(`blocked by ${taskEvent.payload.waitsFor.join(", ")}`)]
      ]
    case "unit.waiting":
      return [[note, name, StyledLine.raw("  "), StyledLine.piece(waiting(event, taskEvent.payload))]]
    case "task.noted":
      return [[note, name, StyledLine.raw(` ${event.task ?? ""}  `), StyledLine.piece(taskEvent.payload.note)]]
    case "orch.waiting":
      return [[note, StyledLine.piece(`waiting: ${taskEvent.payload.reason}`)]]
    case "orch.landed":
      return [
        [good, StyledLine.piece(`landed on ${taskEvent.payload.target} as ${format.short(taskEvent.payload.commit)}`)]
      ]
    default:
      return []
  }
}

const waiting = (
  { at }: JobEvent,
  { reason, until }: { readonly reason: string; readonly until?: DateTime.Utc | undefined }
): string =>
  `waiting: ${reason}${until === undefined ? "" : `; until ${format.age(DateTime.distance(at, until))} from now`}`

const good = StyledLine.raw("✓ ", "good")
const bad = StyledLine.raw("✗ ", "bad")
const none = StyledLine.raw("– ", "warn")
const note = StyledLine.raw("! ", "warn")

const skipped = ({ units }: Progress.Progress): ReadonlyArray<StyledLine.Line> =>
  [...units.values()]
    .filter(({ state }) => state === "skipped")
    .map(({ id }) => [good, StyledLine.piece(id, "name"), StyledLine.raw("  already complete", "faint")])

const size = (unit: Progress.Unit | undefined): string => format.count(unit?.tasks.size ?? 0, "task")

const took = ({ at }: JobEvent, unit: Progress.Unit | undefined): StyledLine.Piece =>
  StyledLine.raw(unit === undefined ? "" : `  ${format.clock(at.epochMillis - unit.startedAt)}`, "faint")
