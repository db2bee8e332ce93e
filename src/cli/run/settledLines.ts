/**
 * The permanent lines above the live region: what has ended, and notes.
 */
import type { DateTime } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import { type EventText, eventText, placeOf } from "../../progress/eventText.js"
import type { JobModel } from "../../progress/JobModel.js"
import * as payload from "../../progress/payload.js"
import * as taskNotes from "../../progress/taskNotes.js"
import type { Type } from "../../progress/vocabulary.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import { progressEvent } from "./progressEvent.js"
import * as Screen from "./Screen.js"

export interface Around {
  /** The state after the event. */
  readonly model: JobModel
  /** The last lines of the output that failed the unit. */
  readonly tail: ReadonlyArray<string>
  readonly columns: number
  /** Of the times in the lines, which are still read the next morning. */
  readonly zone: DateTime.TimeZone
}

/** Events of units and tasks that are kept. All events of the manager are, but for the end, which the summary reports. */
const kept: ReadonlySet<string> = new Set<Type>([
  "orch.started",
  "orch.waiting",
  "orch.landed",
  "orch.proposed",
  "unit.waiting",
  "unit.asked",
  "unit.answered",
  "unit.merged",
  "unit.failed",
  "unit.blocked",
  "task.noted"
])

const ends: ReadonlySet<string> = new Set<Type>(["job.completed", "job.failed", "job.cancelled", "job.interrupted"])

export const lines = (event: JobEvent, { columns, model, tail, zone }: Around): ReadonlyArray<StyledLine.Line> => {
  const isOfJob = event.type.startsWith("job.")
  if (isOfJob ? ends.has(event.type) : !kept.has(event.type)) return []
  // The live region has one line for all tasks about what is known of their gates.
  if (event.type === "task.noted" && taskNotes.read(payload.json(event.payload, "note")).tag !== undefined) return []
  const text = eventText(progressEvent(event), (at) => format.dateTime(at, zone))
  // That others are merged first is part of the plan.
  if (event.type === "unit.waiting" && text.tone === "faint") return []
  const line = isOfJob ? [StyledLine.raw(`job ${event.jobId} `, "faint"), ...words(text)] : ofWork(event, text, model)
  return [
    ...[line, ...(event.type === "orch.started" ? skipped(model) : [])].flatMap((line) =>
      StyledLine.wrap(line, columns, 2)
    ),
    ...(event.type === "unit.asked"
      ? [[StyledLine.raw("  "), StyledLine.piece(`charlotte answer ${event.jobId} ${event.unit} "…"`, "strong")]]
      : []),
    ...(event.type === "unit.failed" ? Screen.quote(tail).map((line) => StyledLine.fit(line, columns)) : [])
  ]
}

const words = ({ text, tone }: EventText): StyledLine.Line => [StyledLine.piece(text, tone === "warn" ? tone : "faint")]

const ofWork = (event: JobEvent, { text, tone }: EventText, model: JobModel): StyledLine.Line => {
  const { type, unit } = event
  if (type === "orch.started") return [StyledLine.piece(text, "faint")]
  const place = placeOf(event)
  return [
    marks[tone],
    ...(place === "" ? [] : [StyledLine.piece(place, "name"), StyledLine.raw("  ")]),
    StyledLine.piece(text),
    ...(type === "unit.merged" || type === "unit.failed" ? [took(model, unit)] : [])
  ]
}

const marks: { readonly [T in EventText["tone"]]: StyledLine.Piece } = {
  good: StyledLine.raw("✓ ", "good"),
  bad: StyledLine.raw("✗ ", "bad"),
  warn: StyledLine.raw("! ", "warn"),
  plain: StyledLine.raw(""),
  faint: StyledLine.raw("")
}

const skipped = ({ units }: JobModel): ReadonlyArray<StyledLine.Line> =>
  [...units.values()]
    .filter(({ state }) => state === "skipped")
    .map(({ id }) => [marks.good, StyledLine.piece(id, "name"), StyledLine.raw("  already complete", "faint")])

const took = (model: JobModel, id: string | undefined): StyledLine.Piece => {
  const { from, to } = model.units.get(id ?? "") ?? {}
  return StyledLine.raw(from === undefined || to === undefined ? "" : `  ${format.clock(to - from)}`, "faint")
}
