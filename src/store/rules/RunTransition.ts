/**
 * State transitions of runs, applied by both databases within a transaction.
 */
import { DateTime, Duration, Schema } from "effect"
import { stringify } from "../../internal/Json.js"
import type { Payload, Type } from "../../domain/events.js"
import { lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { isReady, Parked, readiness, type RunError, type WaitsFor } from "../../domain/Run.js"
import { capped, withError } from "../../domain/runError.js"
import { canBecome, type RunStatus } from "../../domain/RunStatus.js"
import type { Sender } from "../../domain/Sender.js"
import type { AcceptedEvent, Beginning, Change, NewRun, NewSignal, NewStep } from "../port/RunStoreService.js"

/** The mutable part of a run. */
export interface State {
  readonly status: RunStatus
  readonly attempt: number
  readonly key: string | undefined
  /** The group of the run, which never changes. */
  readonly group: string | undefined
  readonly startedAt: DateTime.Utc | undefined
  readonly stoppingAt: DateTime.Utc | undefined
  readonly endedAt: DateTime.Utc | undefined
  /** What the run waits for, if it is neither running nor over. */
  readonly waitsFor: string | undefined
  /** The due time of a run that waits for a time. */
  readonly dueAt: DateTime.Utc | undefined
  readonly parked: Parked | undefined
  /** Why a parked run is due. */
  readonly wokenBy: string | undefined
  /** Who has asked for what the run waits to do: for its retry, or for its next attempt. */
  readonly sender: Sender | undefined
  readonly crashes: number
  /** How often an attempt has failed and the run has waited for the next. */
  readonly tries: number
  readonly result: unknown
  readonly error: RunError | undefined
}

const waitsForNothing = {
  waitsFor: undefined,
  dueAt: undefined,
  parked: undefined,
  wokenBy: undefined,
  sender: undefined
}

const isAfter = (time: DateTime.Utc | undefined, at: DateTime.Utc): time is DateTime.Utc =>
  time !== undefined && DateTime.greaterThan(time, at)

interface Waiting extends Pick<State, "dueAt"> {
  readonly waitsFor: WaitsFor
}

/** What a run that holds its keys waits for: its start time if that is in the future, or a permit. */
export const waitingSince = (
  startAt: DateTime.Utc | undefined,
  at: DateTime.Utc,
  group: string | undefined
): Waiting =>
  isAfter(startAt, at) ? { waitsFor: "time", dueAt: startAt } : { waitsFor: readiness(group), dueAt: undefined }

const fresh = ({ group, key }: Pick<NewRun, "group" | "key">): State => ({
  ...waitsForNothing,
  status: "running",
  attempt: 1,
  key,
  group,
  startedAt: undefined,
  stoppingAt: undefined,
  endedAt: undefined,
  crashes: 0,
  tries: 0,
  result: undefined,
  error: undefined
})

/** The state of a new run that begins at once. */
export const initial = (run: Pick<NewRun, "at" | "group" | "key">): State => ({ ...fresh(run), startedAt: run.at })

/** The state of a new run that waits: behind a key, or for what `waitingSince` says. */
export const pending = (
  run: Pick<NewRun, "at" | "group" | "key" | "sender" | "startAt">,
  isBehindKey: boolean
): State => ({
  ...fresh(run),
  ...(isBehindKey ? { waitsFor: "key" } : waitingSince(run.startAt, run.at, run.group)),
  sender: run.sender,
  status: "pending"
})

/**
 * A run that parks or is interrupted while its stop intent is recorded, for example by the job that replaces it, is cancelled. The
 * intent may have been recorded after a manager that takes over the run has read its row.
 */
export const asRecorded = (state: State, change: Change): Change => {
  const { at, attempt, continuesStop = false, error, jobId, type } = change
  const isResting = type === "job.parked" || (type === "job.interrupted" && !continuesStop)
  return isResting && state.stoppingAt !== undefined ? { type: "job.cancelled", jobId, attempt, at, error } : change
}

/** Truncates an oversized error. */
export const truncateError = (change: Change): Change => {
  if (change.error === undefined) return change
  const error = capped(change.error)
  return { ...change, error, parked: change.parked && withError(change.parked, error) }
}

/**
 * The state after the change; undefined if the attempt is not the current one or the transition is not allowed.
 * `isSignalled`: the signal or decision for which a parked run waits is there already.
 */
export const next = (state: State, change: Change, isSignalled = false): State | undefined => {
  const { at, attempt, crashed, error, ofWaiting, parked, result, type } = change
  const status = lifecycle[type]
  if (state.attempt !== attempt) return undefined
  if (ofWaiting === true && state.waitsFor === undefined) return undefined
  if (type === "job.stopping") {
    return state.status === "running" && state.stoppingAt === undefined ? { ...state, stoppingAt: at } : undefined
  }
  if (type === "job.timeout") return state.status === "running" && state.stoppingAt === undefined ? state : undefined
  if (!canBecome(state.status, status)) return undefined
  switch (type) {
    case "job.interrupted":
      return {
        ...state,
        status,
        stoppingAt: undefined,
        waitsFor: readiness(state.group),
        // Otherwise a run with the intent to stop is cancelled.
        wokenBy: state.stoppingAt === undefined ? undefined : "stop",
        crashes: crashed === true ? state.crashes + 1 : 0
      }
    case "job.parked":
      return {
        ...state,
        ...parkedState(parked, at, isSignalled, state.group),
        status,
        stoppingAt: undefined,
        crashes: 0,
        tries: parked?.retry?.n ?? state.tries,
        parked
      }
    default:
      return { ...state, ...waitsForNothing, status, endedAt: at, result, error }
  }
}

/** What wakes a run once its time has come. A retry begins in the order of pending runs. */
export const wokenByTime = (parked: Parked | undefined): "time" | "retry" =>
  parked?.retry === undefined ? "time" : "retry"

const parkedState = (
  parked: Parked | undefined,
  at: DateTime.Utc,
  isSignalled: boolean,
  group: string | undefined
): Waiting & Pick<State, "wokenBy"> => {
  const until = parked?.until
  if (isSignalled) {
    const wokenBy = parked?.decisions === undefined ? "signal" : "decision"
    return { waitsFor: readiness(group), dueAt: undefined, wokenBy }
  }
  if (parked?.children !== undefined) return { waitsFor: "child", dueAt: undefined, wokenBy: undefined }
  if (isAfter(until, at)) return { waitsFor: "time", dueAt: until, wokenBy: undefined }
  return until === undefined
    ? { waitsFor: "signal", dueAt: undefined, wokenBy: undefined }
    : { waitsFor: readiness(group), dueAt: undefined, wokenBy: wokenByTime(parked) }
}

/** The state of the attempt that begins; undefined if the run does not wait, or another attempt is next. */
export const begun = (state: State, { at, attempt, key }: Beginning): State | undefined =>
  isReady(state.waitsFor) && attempt === state.attempt + (state.status === "pending" ? 0 : 1)
    ? {
        ...state,
        ...waitsForNothing,
        status: "running",
        attempt,
        key: state.key ?? key,
        startedAt: at,
        stoppingAt: isForStop(state) ? at : undefined
      }
    : undefined

/** The state of a parked run that is due; undefined unless it is parked. A stop may wake an interrupted run, too. */
export const woken = (
  state: State,
  by: "signal" | "child" | "decision" | "resume" | "stop" | "time",
  sender?: Sender
): State | undefined => {
  const waitsFor = readiness(state.group)
  if (by === "stop") {
    const isResting = state.status === "parked" || (state.status === "interrupted" && isReady(state.waitsFor))
    if (!isResting) return undefined
    return isForStop(state) ? state : { ...state, waitsFor, dueAt: undefined, wokenBy: by, sender }
  }
  if (state.status !== "parked") return undefined
  // A resume by a person counts more than a due time that has passed, and a signal is consumed only if it has woken the run.
  const isByTime = state.wokenBy === "time" || state.wokenBy === "retry"
  const isDue = isReady(state.waitsFor) && !(by === "resume" && isByTime)
  return isDue ? state : { ...state, waitsFor, dueAt: undefined, wokenBy: by, sender }
}

/** Whether the next attempt of a waiting run begins for a stop, as it does though its kind is paused. */
export const isForStop = ({ wokenBy }: Pick<State, "wokenBy">): boolean => wokenBy === "stop"

/** Whether a signal of that name wakes the run. */
export const isWokenBy = ({ parked, status, waitsFor }: State, name: string): boolean =>
  status === "parked" && !isReady(waitsFor) && parked?.signal === name

/** The state of a run once one of its questions was answered; undefined if it has not parked for an answer. */
export const answered = (state: State): State | undefined =>
  state.parked?.questions === undefined ? undefined : woken(state, "signal")

/** The state of a run once something was decided about it; undefined if it has not parked for decisions. */
export const decided = (state: State): State | undefined =>
  state.parked?.decisions === undefined ? undefined : woken(state, "decision")

/** Whether an attempt may append events. */
export const acceptsEvents = (state: Pick<State, "status" | "attempt">, attempt: number): boolean =>
  state.status === "running" && state.attempt === attempt

const event = <T extends Type>(type: T, at: DateTime.Utc, payload?: Payload<T>): AcceptedEvent => ({
  at,
  type,
  payload: payload === undefined ? undefined : stringify(payload)
})

/** The event of a new run. */
export const createdEvent = (
  {
    at,
    priority,
    retryOf,
    sender,
    startAt
  }: Pick<NewRun, "at" | "priority" | "sender" | "startAt"> & {
    readonly retryOf?: JobId | undefined
  },
  { waitsFor }: Pick<State, "waitsFor">
): AcceptedEvent =>
  waitsFor === undefined
    ? event("job.started", at, { attempt: 1 })
    : event("job.queued", at, {
        waitsFor,
        ...(priority === undefined || priority === 0 ? {} : { priority }),
        ...(startAt === undefined ? {} : { startAt: DateTime.formatIso(startAt) }),
        ...(retryOf === undefined ? {} : { retryOf }),
        ...sender
      })

/** The events of an attempt that begins, with the cause that ended the wait before it, and the stop that it begins for. */
export const begunEvents = (
  { at, attempt, isResumed = false, sender }: Beginning,
  before: Pick<State, "sender" | "wokenBy">
): ReadonlyArray<AcceptedEvent> => {
  if (attempt === 1) return [event("job.started", at, { attempt })]
  const [by, from] = isResumed ? ["resume", sender] : [before.wokenBy, before.sender]
  const resumed = event("job.resumed", at, { attempt, by, sender: from?.by, via: from?.via })
  return isForStop(before) ? [resumed, stoppingEvent(at, before.sender)] : [resumed]
}

const stoppingEvent = (at: DateTime.Utc, sender: Sender | undefined): AcceptedEvent => event("job.stopping", at, sender)

/** The event of a signal. */
export const signalEvent = ({ at, name, payload, sender }: NewSignal): AcceptedEvent =>
  event("job.signalled", at, {
    name,
    ...(payload === undefined ? {} : { payload: JSON.parse(payload) }),
    ...sender
  })

/** The event of a step that is recorded. */
export const stepEvent = ({ at, millis, name, ok }: Pick<NewStep, "at" | "millis" | "name" | "ok">): AcceptedEvent =>
  event("job.step", at, { name, ok, millis })

const encodeParked = Schema.encodeSync(Parked)

/** The event of a state change. */
export const changeEvent = ({
  at,
  crashed,
  during = [],
  error,
  limit,
  parked,
  sender,
  type
}: Change): AcceptedEvent => {
  switch (type) {
    case "job.interrupted":
      return event(type, at, {
        reason: crashed === true ? "crash" : "shutdown",
        ...(during.length === 0 ? {} : { during })
      })
    case "job.timeout":
      return event(type, at, { limit: Duration.toMillis(limit ?? Duration.zero) })
    case "job.parked":
      return event(type, at, parked && encodeParked(parked))
    case "job.stopping":
      return stoppingEvent(at, sender)
    default:
      return error === undefined && sender === undefined
        ? event(type, at)
        : event(type, at, {
            ...(error && { error: { kind: error.kind, error: error.error } }),
            ...sender
          })
  }
}
