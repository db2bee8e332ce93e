/**
 * What becomes of the children of jobs, on both databases.
 */
import { DateTime } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { isReady } from "../../domain/Run.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import type { Change, KeptChild, NewChild, NewRun } from "../port/RunStoreService.js"
import { type State, woken } from "./RunTransition.js"

type Found = Pick<KeptChild, "askedBy" | "id" | "kind" | "status" | "tries">

/** The run to submit for a child; none if the recorded child is the one that its parent asks for. */
export const toSubmit = ({ jobId, run, tries }: NewChild, found: Found | undefined): NewRun | undefined => {
  const submitted = { ...run, parent: jobId }
  if (found?.status === undefined) return submitted
  const isOfThisTry = found.askedBy === jobId && found.tries === tries
  const mayBeRetried = found.kind === run.kind && isTerminal(found.status) && found.status !== "completed"
  // The first run of the child has its idempotency key.
  return mayBeRetried && !isOfThisTry
    ? { ...submitted, idempotency: undefined, retryOf: { id: found.id, fresh: false } }
    : undefined
}

/** A parent of so many children is due at the end of any of them. */
const few = 10

/**
 * Milliseconds for each child for which a parent of many is not due yet though some of them have ended: an attempt that reads the results
 * of all children takes 0.2 ms of CPU for each, so a parent takes 0.4 % of a core while they run, however many they are.
 */
const pauseEach = 50

/**
 * The state of a parked parent once `ends` of its children have ended; undefined if that changes nothing. A parent that waits for many is
 * due at the last of these ends, or some time after another one: each of its attempts asks for all children again, and one for each of
 * 1,000 ends would ask 1,000 times as often.
 */
export const afterChild = (state: State, at: DateTime.Utc, ends: number): State | undefined => {
  const { childEnds = 0, children } = state.parked ?? {}
  if (children === undefined || isReady(state.waitsFor)) return undefined
  // Of a child for which it does not wait, the end counts, too: that wakes it early, and never late.
  if (children <= few || ends - childEnds >= children) return woken(state, "child")
  if (state.waitsFor === "time") return undefined
  return { ...state, waitsFor: "time", dueAt: DateTime.add(at, { millis: children * pauseEach }) }
}

/** The state of a parent that has just parked: children may have ended since its attempt has read their ends. */
export const afterPark = (state: State, { at, parked }: Change, ends = 0): State => {
  const { childEnds = 0, children } = parked ?? {}
  const missed = ends - childEnds
  return children === undefined || missed <= 0 ? state : (afterChild(state, at, ends) ?? state)
}

/** Whether a change is the stop of a job, which stops its children. */
export const isStop = (type: Change["type"]): boolean => type === "job.stopping" || type === "job.cancelled"

/** How a child is stopped with its parent: a pending one is cancelled, and any other is stopped by its manager. */
export const howToStop = (status: RunStatus): "cancel" | "request" | undefined => {
  if (isTerminal(status)) return undefined
  return status === "pending" ? "cancel" : "request"
}

/** The request to stop the child of a stopped job. */
export const stopOf = (parent: JobId) => ({ grace: undefined, sender: { by: `the stop of job ${parent}` } })
