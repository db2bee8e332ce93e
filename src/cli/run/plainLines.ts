/**
 * Events as plain lines, for a pipe or a file.
 */
import { type DateTime, Option } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import { type EventText, eventText, isKnown, placeOf } from "../../progress/eventText.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import { progressEvent } from "./progressEvent.js"

/** The line of an event of the manager or of a task: time, unit and task, message. */
export const line = (event: JobEvent, zone: DateTime.TimeZone): Option.Option<StyledLine.Line> => {
  if (!isKnown(event.type)) return Option.none()
  const { log, text } = eventText(progressEvent(event), (at) => format.dateTime(at, zone))
  return Option.some([
    StyledLine.raw(`${format.timeOfDay(event.at, zone)} `),
    ...place(event),
    StyledLine.piece(`${text}${seeLog(log)}`)
  ])
}

const place = (event: JobEvent): StyledLine.Line => {
  if (event.type.startsWith("job.")) return [StyledLine.raw(`job ${event.jobId} `)]
  const text = placeOf(event)
  return text === "" ? [] : [StyledLine.piece(text), StyledLine.raw("  ")]
}

const seeLog = (log: EventText["log"]): string => (log === undefined ? "" : `; see ${log.file}`)
