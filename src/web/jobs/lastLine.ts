/**
 * The latest line about a job. While events arrive, it is the newest event's; this module builds it from the record.
 */
import { isRecord } from "../api/decode.js"
import type { Job, ListedJob } from "../api/models.js"
import type { EventText } from "../../progress/eventText.js"
import * as format from "../../progress/format.js"
import { messageOf } from "../../progress/payload.js"
import { resumeSignal } from "../../progress/waiting.js"

export type Line = Pick<EventText, "text" | "tone">

/** The location of a task job's result; for other jobs, the result itself, which may be any JSON. */
const resultOf = (result: unknown): string => {
  if (result === undefined || result === null) return ""
  if (isRecord(result) && typeof result["target"] === "string" && typeof result["branch"] === "string") {
    return result["landed"] === undefined ? `result on ${result["branch"]}` : `landed on ${result["target"]}`
  }
  return messageOf(result)
}

const waits = {
  permit: "waits for a free place",
  time: "waits for its time",
  key: "waits behind another job",
  signal: ""
}

const parkedLine = ({ parked, waitsFor }: ListedJob, now: number): Line => {
  if (waitsFor === "permit") return { text: "due, waits for a free place", tone: "faint" }
  const reason = parked?.reason ?? ""
  const signal =
    parked?.signal === undefined || parked.signal === resumeSignal ? "" : ` · waits for the signal ${parked.signal}`
  // The time comes first, since the reason is often truncated.
  const until = parked?.until === undefined ? "" : `until ${format.clockTime(parked.until, now)} · `
  return { text: `${until}${reason}${signal}`, tone: "warn" }
}

export const ofRecord = (job: ListedJob, now: number): Line => {
  switch (job.status) {
    case "pending":
      return { text: job.waitsFor === undefined ? "" : waits[job.waitsFor], tone: "faint" }
    case "parked":
      return parkedLine(job, now)
    case "interrupted":
      return { text: "cut short; resume it to continue", tone: "warn" }
    case "failed":
      return { text: messageOf(job.error?.error ?? job.error?.cause), tone: "bad" }
    case "completed":
      return { text: resultOf(job.result), tone: "plain" }
    case "cancelled":
      return { text: job.error === undefined ? "stopped" : messageOf(job.error.error), tone: "faint" }
    case "running":
      return { text: "", tone: "plain" }
  }
}

/** The line of a running job before an event has arrived: its running tasks. */
export const ofTasks = ({ tasks }: Job): Line => {
  const [first, ...others] = tasks.filter(({ state }) => state === "running")
  if (first === undefined) return { text: "", tone: "plain" }
  const more = others.length === 0 ? "" : ` and ${format.count(others.length, "more task", "more tasks")}`
  return { text: `${first.unit} ${first.task} · ${first.title}${more}`, tone: "plain" }
}
