/**
 * The latest line about a job. While events arrive, it is the newest event's; this module builds it from the record.
 */
import { isRecord } from "../api/decode.js"
import type { Job, ListedJob } from "../api/models.js"
import type { EventText } from "../../progress/eventText.js"
import * as format from "../../progress/format.js"
import { messageOf } from "../../progress/payload.js"
import { asks } from "../../progress/needsPerson.js"
import { ofError } from "../../progress/reason.js"
import { shortId } from "../ui/shortId.js"
import { condition, isDue, parkReason } from "../../progress/waiting.js"

export type Line = Pick<EventText, "text" | "tone">

/** The location of a task job's result; for other jobs, the result itself, which may be any JSON. */
const resultOf = (result: unknown): string => {
  if (result === undefined || result === null) return ""
  if (isRecord(result) && typeof result["target"] === "string" && typeof result["branch"] === "string") {
    return result["landed"] === undefined ? `result on ${result["branch"]}` : `landed on ${result["target"]}`
  }
  return messageOf(result)
}

const waitingLine = ({ group, parked, startAt, status, waitsFor }: ListedJob, now: number): Line => {
  const waits = condition({ waitsFor, group, startAt, ...parked }, { now, time: (at) => format.clockTime(at, now) })
  if (status === "pending") return { text: `waits ${waits}`, tone: "faint" }
  // The time comes first, since the reason is often truncated.
  if (isDue(waitsFor)) return { text: `due, waits ${waits}`, tone: "faint" }
  return parked?.children !== undefined
    ? { text: `parked ${waits}`, tone: "faint" }
    : { text: `parked ${waits}: ${parkReason(parked)}`, tone: "warn" }
}

export const ofRecord = (job: ListedJob, now: number): Line => {
  const asked = asks(job)
  if (asked !== undefined) return { text: asked, tone: "warn" }
  switch (job.status) {
    case "pending":
    case "parked":
      return waitingLine(job, now)
    case "interrupted":
      return { text: "cut short; resume it to continue", tone: "warn" }
    case "failed": {
      const text = ofError(job.error?.error ?? job.error?.cause)
      // A failed job needs no person once another job retries it.
      return job.retriedAs === undefined
        ? { text, tone: "bad" }
        : { text: `retried by ${shortId(job.retriedAs)}: ${text}`, tone: "faint" }
    }
    case "completed":
      return { text: resultOf(job.result), tone: "plain" }
    case "cancelled":
      return { text: job.error === undefined ? "stopped" : messageOf(job.error.error), tone: "faint" }
    case "running":
      return { text: job.progress?.text ?? "", tone: "plain" }
  }
}

/** A line without the command that is shown below it, and without the words that lead to that. */
export const withoutCommand = (text: string, command: string | undefined): string => {
  const at = command === undefined ? -1 : text.indexOf(command)
  return at === -1 ? text : text.slice(0, at).replace(/[;:][^;:]*:? *$/, "")
}

/** The line of a running job before an event has arrived: its running tasks. */
export const ofTasks = ({ tasks }: Job): Line => {
  const [first, ...others] = tasks.filter(({ state }) => state === "running")
  if (first === undefined) return { text: "", tone: "plain" }
  const more = others.length === 0 ? "" : ` and ${format.count(others.length, "more task", "more tasks")}`
  return { text: `${first.unit} ${first.task} · ${first.title}${more}`, tone: "plain" }
}
