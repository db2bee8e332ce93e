/**
 * State transitions of runs, applied by both stores within a transaction.
 */
import type { DateTime } from "effect"
import { stringify } from "../internal/Json.js"
import { type Lifecycle, lifecycle } from "../domain/JobEvent.js"
import type { RunError } from "../domain/Run.js"
import { capped } from "../domain/runError.js"
import { canBecome, type RunStatus } from "../domain/RunStatus.js"
import type { AcceptedEvent, Change, NewRun, Resumption } from "./RunStoreService.js"

/** The mutable part of a run. */
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

/** The state of a new run. */
export const initial = ({ at, key }: Pick<NewRun, "at" | "key">): State => ({
  status: "running",
  attempt: 1,
  key,
  startedAt: at,
  stoppingAt: undefined,
  endedAt: undefined,
  crashes: 0,
  result: undefined,
  error: undefined
})

/** Truncates an oversized error. */
export const truncateError = (change: Change): Change =>
  change.error === undefined ? change : { ...change, error: capped(change.error) }

/** The state after the change; undefined when the attempt is not the current one or the transition is not allowed. */
export const next = (state: State, change: Change): State | undefined => {
  const { at, attempt, crashed, error, result, type } = change
  const status = lifecycle[type]
  if (state.attempt !== attempt) return undefined
  if (type === "job.stopping") {
    return state.status === "running" && state.stoppingAt === undefined ? { ...state, stoppingAt: at } : undefined
  }
  if (!canBecome(state.status, status)) return undefined
  return type === "job.interrupted"
    ? { ...state, status, stoppingAt: undefined, crashes: crashed === true ? state.crashes + 1 : 0 }
    : { ...state, status, endedAt: at, result, error }
}

/** The state of the next attempt; undefined when the run is not interrupted or another attempt is next. */
export const nextAttempt = (state: State, { at, attempt, key }: Resumption): State | undefined =>
  state.status === "interrupted" && state.attempt === attempt - 1
    ? { ...state, status: "running", attempt, key, startedAt: at }
    : undefined

/** Whether an attempt may append events. */
export const acceptsEvents = (state: Pick<State, "status" | "attempt">, attempt: number): boolean =>
  state.status === "running" && state.attempt === attempt

const event = (type: Lifecycle, at: DateTime.Utc, payload?: unknown): AcceptedEvent => ({
  at,
  type,
  payload: payload === undefined ? undefined : stringify(payload)
})

/** The event of a new run. */
export const startedEvent = ({ at }: NewRun): AcceptedEvent => event("job.started", at, { attempt: 1 })

/** The event of a new attempt. */
export const resumedEvent = ({ at, attempt }: Resumption): AcceptedEvent => event("job.resumed", at, { attempt })

/** The event of a state change. */
export const changeEvent = ({ at, crashed, error, type }: Change): AcceptedEvent =>
  event(
    type,
    at,
    type === "job.interrupted"
      ? { reason: crashed === true ? "crash" : "shutdown" }
      : error && { error: { kind: error.kind, error: error.error } }
  )
