/**
 * Decides how a waiting run is rescheduled. Both stores use it, within the transaction that changes the run.
 */
import { DateTime, Either, Option } from "effect"
import { NotReschedulable } from "../../domain/errors.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import { stringify } from "../../internal/Json.js"
import type { Payload } from "../../domain/events.js"
import type { AcceptedEvent, Rescheduling } from "../port/RunStoreService.js"
import { type State, waitingSince } from "./RunTransition.js"

/** When a run begins, among the runs that wait. */
export interface Schedule {
  readonly priority: number
  readonly startAt: DateTime.Utc | undefined
}

export interface Rescheduled {
  readonly to: Schedule
  readonly state: State
  readonly event: AcceptedEvent
}

const isWaiting = (status: RunStatus): boolean =>
  status === "pending" || status === "parked" || status === "interrupted"

const isSame = Option.getEquivalence(DateTime.Equivalence)

const recorded = ({ priority, startAt }: Schedule): Payload<"job.rescheduled">["to"] => ({
  priority,
  ...(startAt === undefined ? {} : { startAt: DateTime.formatIso(startAt) })
})

/** None if nothing changes. */
export const rescheduled = (
  state: State,
  from: Schedule,
  { at, jobId, priority = from.priority, sender, startAt: asked }: Rescheduling
): Either.Either<Option.Option<Rescheduled>, NotReschedulable> => {
  const { status } = state
  if (!isWaiting(status)) return Either.left(new NotReschedulable({ jobId, status }))
  if (asked !== undefined && status !== "pending") {
    const reason = `only a pending job has a start time, and it is ${status}`
    return Either.left(new NotReschedulable({ jobId, status, reason }))
  }
  const before = Option.fromNullable(from.startAt)
  const startAt = asked ?? before
  const isMoved = !isSame(startAt, before)
  if (priority === from.priority && !isMoved) return Either.right(Option.none())
  const to = { priority, startAt: Option.getOrUndefined(startAt) }
  const waits = isMoved && state.waitsFor !== "key" ? waitingSince(to.startAt, at, state.group) : {}
  const payload: Payload<"job.rescheduled"> = {
    from: recorded(from),
    to: recorded(to),
    ...sender
  }
  return Either.right(
    Option.some({
      to,
      state: { ...state, ...waits },
      event: { at, type: "job.rescheduled", payload: stringify(payload) }
    })
  )
}
