/**
 * Events as plain lines, for a pipe or a file.
 */
import { type DateTime, Duration, Option } from "effect"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import type { Log } from "../../tasks/events.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import * as waitingText from "../list/waitingText.js"
import * as TaskEvent from "./TaskEvent.js"
import * as WaitingEvent from "./WaitingEvent.js"

/** The line of an event, if it has one: time, unit and task, message. */
export const line = (event: JobEvent, zone: DateTime.TimeZone): Option.Option<StyledLine.Line> =>
  Option.map(what(event, zone), (what) => {
    const place = [event.unit, event.task].filter((part) => part !== undefined).join(" ")
    const where = place === "" ? [] : [StyledLine.raw(" "), StyledLine.piece(place), StyledLine.raw(" ")]
    return [StyledLine.raw(format.timeOfDay(event.at, zone)), ...where, StyledLine.raw(" "), StyledLine.piece(what)]
  })

const what = (event: JobEvent, zone: DateTime.TimeZone): Option.Option<string> => {
  const waits = Option.flatMapNullable(WaitingEvent.decode(event), (waiting) =>
    waitingText.predicate(waiting, { now: event.at, zone })
  )
  if (Option.isSome(waits)) return Option.some(`job ${event.jobId} ${waits.value}`)
  const signal = WaitingEvent.signal(event)
  if (Option.isSome(signal)) return Option.some(`job ${event.jobId} was sent the signal ${signal.value}`)
  if (event.type === "job.stopping") return Option.some(`job ${event.jobId} is stopping`)
  if (event.type in lifecycle) return Option.some(`job ${event.jobId} ${event.type.replace("job.", "")}`)
  return Option.flatMapNullable(TaskEvent.decode(event), (event) => message(event, zone))
}

/** Nothing for intermediate steps. */
const message = ({ payload, type }: TaskEvent.TaskEvent, zone: DateTime.TimeZone): string | undefined => {
  switch (type) {
    case "orch.started":
      return format.overview(payload)
    case "unit.started":
      return "started"
    case "unit.setup.started":
      return `setup${again(payload.attempt)}: ${payload.command}`
    case "unit.setup.failed":
      return `setup failed: ${payload.reason}${see(payload.log)}`
    case "unit.waiting":
      return `waiting: ${payload.reason}${payload.until === undefined ? "" : `; until ${format.dateTime(payload.until, zone)}`}`
    case "unit.completed":
      return "all tasks done"
    case "unit.verifying":
      return `verifying the merged result: ${payload.command}`
    case "unit.merged":
      return `merged, commit ${format.short(payload.commit)}`
    case "unit.failed":
      return `failed: ${payload.reason}`
    case "unit.blocked":
      return `blocked by ${payload.waitsFor.join(", ")}`
    case "task.started":
      return `${payload.title}${again(payload.attempt)}`
    case "task.agent.slow":
      return `slow: the agent ${payload.reason}`
    case "task.agent.ended":
      return payload.reason === undefined ? undefined : `agent failed: ${payload.reason}${see(payload.log)}`
    case "task.gate.started":
      return `gate: ${payload.command}`
    case "task.gate.failed":
      return `gate failed: ${payload.reason}${see(payload.log)}`
    case "task.retry":
      return Duration.toMillis(payload.pause) === 0 ? undefined : `retrying in ${format.span(payload.pause)}`
    case "task.noted":
      return `note: ${payload.note}`
    case "task.completed":
      return `done, commit ${format.short(payload.commit)}`
    case "task.failed":
      return `failed${times(payload.attempts)}: ${payload.reason}${see(payload.log)}`
    case "orch.killed":
      return `killed at the end of the grace period: ${payload.processes.map(({ command, pid }) => `${command} (pid ${pid})`).join(", ")}`
    case "orch.waiting":
      return `waiting: ${payload.reason}`
    case "orch.landing":
      return `landing on ${payload.target}${again(payload.attempt)}`
    case "orch.landed":
      return `landed on ${payload.target}, commit ${format.short(payload.commit)}`
    default:
      return undefined
  }
}

const see = (log: Log | undefined): string => (log === undefined ? "" : `; see ${log.file}`)

const again = (attempt: number): string => (attempt === 1 ? "" : ` (attempt ${attempt})`)

const times = (attempts: number): string => (attempts === 1 ? "" : ` after ${attempts} attempts`)
