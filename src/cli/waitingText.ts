/**
 * What a job waits for, in words.
 */
import { DateTime, Option } from "effect"
import type { Job } from "../http/contract/Api.js"
import type { Started } from "./startJob.js"
import * as format from "./terminal/format.js"

export interface View {
  readonly now: DateTime.Utc
  readonly zone: DateTime.TimeZone
}

type Waiting = Pick<Job, "startAt" | "status" | "waitsFor">

/** The end of "the job …"; undefined unless it is pending. */
export const pending = ({ startAt, status, waitsFor }: Waiting, view: View): string | undefined => {
  if (status !== "pending") return undefined
  if (waitsFor === "time" && startAt !== undefined) return `starts at ${time(startAt, view)}`
  return waitsFor === "key" ? "waits until its key is free" : "waits for a permit"
}

/** `2026-01-31 08:00:00, in 2 h`, in the zone of the view. */
export const time = (at: DateTime.Utc, { now, zone }: View): string => {
  const left = DateTime.distance(now, at)
  return `${format.dateTime(at, zone)}${left > 0 ? `, in ${format.age(left)}` : ""}`
}

/** Why a job that was just started does not run, or that it is an earlier one. */
export const started = ({ id, isEarlier, job }: Started, view: View): Option.Option<string> =>
  Option.flatMap(job, (job) => {
    if (isEarlier) return Option.some(`no new job was started: job ${id}, which is ${job.status}, has that key`)
    return Option.map(Option.fromNullable(pending(job, view)), (waits) => `job ${id} ${waits}`)
  })
