/**
 * What a job waits for, in words.
 */
import { DateTime } from "effect"
import { resumeSignal } from "../../domain/Run.js"
import type { Job } from "../../http/contract/Api.js"
import { configOf } from "../configOf.js"
import * as format from "../terminal/format.js"

export interface View {
  readonly now: DateTime.Utc
  /** For absolute times; without it, only the time left is shown. */
  readonly zone?: DateTime.TimeZone
}

/** Part of the record of a job, or derived from its events. */
export interface Waiting extends Pick<Job, "parked" | "startAt" | "status" | "waitsFor"> {
  /** The keys that other jobs hold. */
  readonly heldKeys?: ReadonlyArray<string>
}

/** The end of a sentence that begins with the job; undefined unless it is pending or parked. */
export const predicate = (job: Waiting, view: View): string | undefined => {
  const { parked, status, waitsFor } = job
  if (status !== "pending" && status !== "parked") return undefined
  const waits = condition(job, view)
  if (status === "pending") return `waits ${waits}`
  return waitsFor === "permit" ? `is due and waits ${waits}` : `is parked ${waits}: ${parked?.reason}`
}

/** `for a permit`, `until 2026-01-31 08:00:00 (in 2 h)`, `for the signal approve`: what a pending or parked job waits for. */
export const condition = ({ heldKeys = [], parked, startAt, waitsFor }: Waiting, view: View): string => {
  if (waitsFor === "key") return `for ${heldKeys.length === 0 ? "its key" : heldKeys.join(" and ")}`
  const signal = waitsFor === "permit" || parked?.signal === undefined ? [] : [signalText(parked.signal)]
  const time = waitsFor === "permit" ? undefined : (parked?.until ?? startAt)
  // No event says that a time has come.
  const isEarly = time !== undefined && DateTime.greaterThan(time, view.now)
  const until = isEarly ? [`until ${timeText(time, view)}`] : []
  return [...signal, ...until].join(" or ") || "for a permit"
}

const signalText = (signal: string): string =>
  signal === resumeSignal ? "until it is resumed" : `for the signal ${signal}`

const timeText = (at: DateTime.Utc, { now, zone }: View): string => {
  const left = format.age(DateTime.distance(now, at))
  return zone === undefined ? `${left} from now` : `${format.dateTime(at, zone)} (in ${left})`
}

/** The record of a job, with the keys that other jobs hold. */
export const ofJob = (job: Job): Waiting => {
  const taken = (job.keys ?? []).filter(({ holder }) => holder !== job.id)
  return { ...job, heldKeys: taken.map((key) => `${isBranch(job, key) ? "" : "the key "}${keyText(job, key)}`) }
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
