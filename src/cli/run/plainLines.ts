/**
 * What happens, for a pipe or a file: a line for each change, and nothing that a terminal would obey.
 */
import { type DateTime, Duration, Option } from "effect"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import type { Log } from "../../tasks/TaskEvents.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
import * as TaskEvent from "./TaskEvent.js"

/** The line of an event, if it has one: when, where, what. */
export const line = (event: JobEvent, zone: DateTime.TimeZone): Option.Option<StyledLine.Line> =>
  Option.map(what(event), (what) => {
    const place = [event.unit, event.task].filter((part) => part !== undefined).join(" ")
    const where = place === "" ? [] : [StyledLine.raw(" "), StyledLine.piece(place), StyledLine.raw(" ")]
    return [StyledLine.raw(format.timeOfDay(event.at, zone)), ...where, StyledLine.raw(" "), StyledLine.piece(what)]
  })

const what = (event: JobEvent): Option.Option<string> => {
  if (event.type === "job.stopping") return Option.some(`job ${event.jobId} is stopping`)
  if (event.type in lifecycle) return Option.some(`job ${event.jobId} ${event.type.replace("job.", "")}`)
  return Option.flatMapNullable(TaskEvent.decode(event), say)
}

/** Nothing of what is only a step between two changes. */
const say = (told: TaskEvent.TaskEvent): string | undefined => {
  switch (told.type) {
    case "orch.started":
      return format.overview(told.payload)
    case "unit.started":
      return "begins"
    case "unit.setup.started":
      return `setup${again(told.payload.attempt)}: ${told.payload.command}`
    case "unit.setup.failed":
      return `setup failed: ${told.payload.reason}${see(told.payload.log)}`
    case "unit.completed":
      return "all tasks are done"
    case "unit.verifying":
      return `verifies the merged result: ${told.payload.command}`
    case "unit.merged":
      return `merged, commit ${format.short(told.payload.commit)}`
    case "unit.failed":
      return `failed: ${told.payload.reason}`
    case "unit.blocked":
      return `blocked, it waits for ${told.payload.waitsFor.join(", ")}`
    case "task.started":
      return `${told.payload.title}${again(told.payload.attempt)}`
    case "task.agent.ended":
      return told.payload.reason === undefined
        ? undefined
        : `agent failed: ${told.payload.reason}${see(told.payload.log)}`
    case "task.gate.started":
      return `gate: ${told.payload.command}`
    case "task.gate.failed":
      return `gate failed: ${told.payload.reason}${see(told.payload.log)}`
    case "task.retry":
      return Duration.toMillis(told.payload.pause) === 0
        ? undefined
        : `will be tried again in ${format.span(told.payload.pause)}`
    case "task.noted":
      return `note: ${told.payload.note}`
    case "task.completed":
      return `done, commit ${format.short(told.payload.commit)}`
    case "task.failed":
      return `failed${times(told.payload.attempts)}: ${told.payload.reason}${see(told.payload.log)}`
    case "orch.killed":
      return `killed at the end of the grace period: ${told.payload.processes.map(({ command, pid }) => `${command} (pid ${pid})`).join(", ")}`
    case "orch.waiting":
      return `waiting: ${told.payload.reason}`
    case "orch.landing":
      return `landing on ${told.payload.target}${again(told.payload.attempt)}`
    case "orch.landed":
      return `landed on ${told.payload.target}, commit ${format.short(told.payload.commit)}`
    default:
      return undefined
  }
}

const see = (log: Log | undefined): string => (log === undefined ? "" : `; see ${log.file}`)

const again = (attempt: number): string => (attempt === 1 ? "" : ` (attempt ${attempt})`)

const times = (attempts: number): string => (attempts === 1 ? "" : ` after ${attempts} attempts`)
