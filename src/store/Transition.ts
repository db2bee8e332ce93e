/**
 * What a change does to a run. Both stores apply it, inside their transactions.
 */
import type { DateTime } from "effect"
import { lifecycle } from "../domain/JobEvent.js"
import type { RunError } from "../domain/Run.js"
import { canBecome, type RunStatus } from "../domain/RunStatus.js"
import type { Change } from "./Port.js"

/** The part of a run that changes. */
export interface State {
  readonly status: RunStatus
  readonly attempt: number
  readonly key: string | undefined
  readonly startedAt: DateTime.Utc | undefined
  readonly stoppingAt: DateTime.Utc | undefined
  readonly endedAt: DateTime.Utc | undefined
  readonly crashes: number
  readonly result: unknown
  readonly error: RunError | undefined
}

/** The state after the change; none when the change is not this attempt's to make, or not a step of the state machine. */
export const after = (state: State, change: Change): State | undefined => {
  const resumed = change.type === "job.resumed"
  const status = lifecycle[change.type]
  if (state.attempt !== (resumed ? change.attempt - 1 : change.attempt)) return undefined

  if (change.type === "job.stopping") {
    return state.status === "running" && state.stoppingAt === undefined ? { ...state, stoppingAt: change.at } : undefined
  }
  if (!canBecome(state.status, status)) return undefined
  if (resumed) {
    return { ...state, status, attempt: change.attempt, key: change.key, startedAt: change.at }
  }
  if (status === "interrupted") {
    return { ...state, status, stoppingAt: undefined, crashes: change.crashed === true ? state.crashes + 1 : 0 }
  }
  return { ...state, status, endedAt: change.at, result: change.result, error: change.error }
}

/** Whether an attempt may still append what its orchestrator emits. */
export const accepts = (state: Pick<State, "status" | "attempt">, attempt: number): boolean =>
  state.status === "running" && state.attempt === attempt

/** What the event of a change carries. */
export const payload = (change: Change): unknown => {
  switch (change.type) {
    case "job.resumed":
      return { attempt: change.attempt }
    case "job.interrupted":
      return { reason: change.crashed === true ? "crash" : "shutdown" }
    default:
      return change.error && { error: { kind: change.error.kind, error: change.error.error } }
  }
}

/** What the first event of a run carries. */
export const firstPayload = { attempt: 1 }
