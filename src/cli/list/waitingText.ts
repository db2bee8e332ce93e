/**
 * What a job waits for, by its record.
 */
import type { DateTime } from "effect"
import type { Job } from "../../http/contract/Api.js"
import * as waiting from "../../progress/waiting.js"
import { configOf } from "../configOf.js"
import * as format from "../terminal/format.js"

export interface View {
  readonly now: DateTime.Utc
  readonly zone: DateTime.TimeZone
}

/** `for a permit`, `until 2026-01-31 08:00:00 (in 2 h)`, `for the signal approve`: what a pending or parked job waits for. */
export const condition = (
  { group, parked, startAt, waitsFor }: Pick<Job, "group" | "parked" | "startAt" | "waitsFor">,
  { now: { epochMillis: now }, zone }: View,
  heldKeys: ReadonlyArray<string> = []
): string =>
  waiting.condition(
    {
      waitsFor,
      group,
      startAt: startAt?.epochMillis,
      until: parked?.until?.epochMillis,
      tentative: parked?.tentative,
      signal: parked?.signal,
      questions: parked?.questions,
      decisions: parked?.decisions,
      children: parked?.children,
      heldKeys
    },
    { now, time: (at) => `${format.dateTime(at, zone)} (in ${format.age(at - now)})` }
  )

/** `cannot be decoded by nodes of version 5d41…`, and their reasons; undefined if nodes of all versions can decode the job. */
export const refusal = ({ refusedAt, refusedBy }: Job, { now: { epochMillis: now }, zone }: View) =>
  waiting.refusal({ refusedBy, refusedAt: refusedAt?.epochMillis }, { now, time: (at) => format.dateTime(at, zone) })

/** The end of a sentence that begins with the job, with the keys that other jobs hold; undefined unless it is pending or parked. */
export const predicate = (job: Job, view: View): string | undefined => {
  const { keys = [], parked, status, waitsFor } = job
  if (status !== "pending" && status !== "parked") return undefined
  const taken = keys.filter(({ holder }) => holder !== job.id)
  const waits = condition(
    job,
    view,
    taken.map((key) => `${isBranch(job, key) ? "" : "the key "}${keyText(job, key)}`)
  )
  if (status === "pending") return `waits ${waits}`
  return waiting.isDue(waitsFor) ? `is due and waits ${waits}` : `is parked ${waits}: ${waiting.parkReason(parked)}`
}

type Key = NonNullable<Job["keys"]>[number]

/** Whether it is the key of a task job's branch, which names the repository by device and inode. */
const isBranch = ({ kind }: Job, { origin }: Key): boolean => kind === "tasks" && origin === "check"

/** A key, and the job that holds it if it is another one. */
export const keyText = (job: Job, key: Key): string => {
  const { repoPath, targetBranch } = configOf(job)
  const name = isBranch(job, key) ? `branch ${targetBranch} of ${repoPath}` : key.key
  return key.holder === job.id ? name : `${name} (held by job ${key.holder}, ${key.holderStatus})`
}
