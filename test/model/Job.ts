/**
 * A job as the model keeps it.
 */
import type { JobId, RunStatus } from "charlotte"
import type { Start } from "./Start.js"

export interface Job {
  readonly id: JobId.JobId
  readonly start: Start
  /** The key that the check has returned; none before the check. */
  readonly key: string | undefined
  readonly status: RunStatus.RunStatus
  readonly attempt: number
  /** How often an attempt has failed and was to be followed by another. */
  readonly tries: number
  readonly priority: number
  /** When the current attempt has begun, in milliseconds. */
  readonly begunAt: number
  readonly endedAt: number
  /** Consecutive crashes without an emitted event. */
  readonly crashes: number
  /** What the run waits for; `ready` is for a permit, or for room in its group. */
  readonly waitsFor: "ready" | "time" | "key" | "signal" | "child" | undefined
  /** Of a pending run: the earliest time at which it begins, in milliseconds. */
  readonly startAt: number | undefined
  /** When a run that waits for a time is due, in milliseconds. */
  readonly dueAt: number
  /** Why a parked run is ready. */
  readonly wokenBy: "signal" | "time" | "retry" | "resume" | "stop" | "child" | undefined
  /** What an attempt has parked for. */
  readonly parkedFor: "retry" | "signal" | "time" | "child" | undefined
  /** Whether the attempt runs for a stop. */
  readonly isStop: boolean
  /** Whether a signal has come that no attempt has used up. */
  readonly hasSignal: boolean
  readonly isPinned: boolean
  readonly retryOf: JobId.JobId | undefined
  /** The first run of its chain of retries. */
  readonly chain: JobId.JobId
  /** The job that has started it as a child. */
  readonly parent: JobId.JobId | undefined
  /** The types of its events, and why its attempts have begun. */
  readonly log: ReadonlyArray<string>
}

export const isOver = ({ status }: Job): boolean => ["completed", "failed", "cancelled"].includes(status)

/** In start order, as far as one manager has started them. */
export const byId = (a: Job, b: Job): number => (a.id < b.id ? -1 : 1)
