/**
 * What a job waits for, in words.
 */
import type {
  approvalSignal as reservedForApproval,
  limitsSignal as reservedForLimits,
  resumeSignal as reserved
} from "../domain/Run.js"
import { type Fields, json, messageOf, string } from "./payload.js"
import { text } from "./reason.js"
import type { Payloads } from "./vocabulary.js"

/** A signal that cannot be sent: the job waits to be resumed. */
export const resumeSignal: typeof reserved = "charlotte.resume"

/** A signal that only an approval or a rejection sends. */
export const approvalSignal: typeof reservedForApproval = "charlotte.approval"

/** A signal that only a resume with other limits sends. */
export const limitsSignal: typeof reservedForLimits = "charlotte.limits"

/** Times are milliseconds. */
export interface Waiting {
  readonly waitsFor?: string | undefined
  /** The group of the job. */
  readonly group?: string | undefined
  readonly startAt?: number | undefined
  readonly until?: number | undefined
  /** Whether it only tries again at `until`. */
  readonly tentative?: boolean | undefined
  readonly signal?: string | undefined
  /** How many questions it waits for. */
  readonly questions?: number | undefined
  /** How many decisions it knows, when it waits for another. */
  readonly decisions?: number | undefined
  /** How many children it waits for. */
  readonly children?: number | undefined
  /** The keys that other jobs hold. */
  readonly heldKeys?: ReadonlyArray<string>
}

/** The refusals of a job in a cluster. The time is in milliseconds. */
export interface Refused {
  /** Why nodes cannot decode it, by the version of its kind that they have. */
  readonly refusedBy?: { readonly [version: string]: string } | undefined
  readonly refusedAt?: number | undefined
}

export interface View {
  readonly now: number
  /** A time in words, after "until". */
  readonly time: (at: number) => string
}

/** Why a job is parked, such as `retry 2 of 5: connection refused`. It may be any JSON, since it is also the payload of an event. */
export const parkReason = (parked: unknown): string => {
  const failed = json(json(parked, "retry"), "error")
  const message = failed === undefined ? "" : messageOf(json(failed, "error"))
  return text([string(parked, "reason") ?? "", ...(message === "" ? [] : [message])].join(": "))
}

/** Whether what a job waits for has come, apart from a permit, room in its group, or the end of the pause of its kind. */
export const isDue = (waitsFor: string | undefined): boolean =>
  waitsFor === "permit" || waitsFor === "group" || waitsFor === "paused"

/** What a job waits for that has parked, from its event. */
export const parkedWaiting = (data: Fields<Payloads["job.parked"]>): Waiting => ({
  until: data.time("until"),
  tentative: data.boolean("tentative"),
  signal: data.string("signal"),
  questions: data.number("questions"),
  children: data.number("children"),
  decisions: data.number("decisions")
})

/** How long a job that some nodes cannot decode waits for a node of another version, in milliseconds. */
export const refusalTime = 600_000

/**
 * Which versions of its kind cannot decode a waiting job, since when, and what becomes of it, as the end of a sentence that begins with
 * the job; undefined if nodes of all versions can, as far as is known.
 */
export const refusal = (
  { refusedAt, refusedBy = {} }: Refused,
  { now, time }: View
): { readonly text: string; readonly reasons: ReadonlyArray<string> } | undefined => {
  const reasons = Object.entries(refusedBy)
  if (reasons.length === 0 || refusedAt === undefined) return undefined
  const versions = reasons.map(([version]) => version).join(" and ")
  const end = refusedAt + refusalTime
  return {
    text:
      `cannot be decoded by nodes of version ${versions} (since ${time(refusedAt)}): ` +
      `a node of another version begins it, or it fails ${end <= now ? "soon" : `at ${time(end)}`}`,
    reasons: reasons.map(([version, reason]) => (reasons.length === 1 ? reason : `${version}: ${reason}`))
  }
}

/** `until 21:05`, or, where the end of the wait is unknown, `until it is tried again at 21:05`. */
export const untilTime = (time: string, tentative = false): string =>
  tentative ? `until it is tried again ${/^\d.*:/.test(time) ? "at " : ""}${time}` : `until ${time}`

/** `for a permit`, `until 2026-01-31 08:00:00`, `for the signal approve`: what a pending or parked job waits for. */
export const condition = (
  { children, decisions, group, heldKeys = [], questions, signal, startAt, tentative, until, waitsFor }: Waiting,
  { now, time }: View
): string => {
  if (waitsFor === "permit") return "for a permit"
  if (waitsFor === "group")
    return group === undefined ? "for its turn in its group" : `for its turn in the group ${group}`
  if (waitsFor === "paused") return "until its kind is unpaused"
  if (waitsFor === "key") return `for ${heldKeys.length === 0 ? "its key" : heldKeys.join(" and ")}`
  if (children !== undefined) return children === 1 ? "for a child" : `for ${children} children`
  // A later version may have recorded another.
  if (waitsFor !== undefined && waitsFor !== "time" && waitsFor !== "signal") return `for ${waitsFor}`
  const at = until ?? startAt
  const isEndless = signal === undefined && at === undefined && (waitsFor === undefined || waitsFor === "signal")
  const parts = [
    ...(questions !== undefined
      ? [questions === 1 ? "for an answer" : `for ${questions} answers`]
      : decisions !== undefined
        ? ["for a decision"]
        : isEndless || signal === resumeSignal
          ? ["until it is resumed"]
          : signal === undefined
            ? []
            : [signal === approvalSignal ? "for approval" : `for the signal ${signal}`]),
    // No event says that a time has come.
    ...(at === undefined || at <= now ? [] : [untilTime(time(at), tentative)])
  ]
  return parts.join(" or ") || "for a permit"
}
