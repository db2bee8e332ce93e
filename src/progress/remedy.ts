/**
 * Why a job needs a person, and the one command that helps.
 */
import type { SpendingLimits } from "../domain/Cost.js"
import type { workflowKind } from "../domain/workflowKind.js"
import * as costs from "./cost.js"
import * as needsPerson from "./needsPerson.js"
import * as payload from "./payload.js"
import * as why from "./reason.js"
import { approvalSignal, resumeSignal } from "./waiting.js"

export interface Helped extends needsPerson.Listed {
  readonly kind: string
  readonly parked?:
    | (NonNullable<needsPerson.Listed["parked"]> & {
        readonly reason: string
        readonly limits?: SpendingLimits | undefined
      })
    | undefined
  readonly result?: unknown
  readonly error?: { readonly error?: unknown; readonly cause: string } | undefined
}

const workflow: ReturnType<typeof workflowKind<"">> = "workflow."

/** Whether another job may retry it. A workflow is executed again with another key instead. */
export const canRetry = ({ kind, retriedAs, status }: Pick<Helped, "kind" | "retriedAs" | "status">): boolean =>
  (status === "failed" || status === "cancelled") && retriedAs === undefined && !kind.startsWith(workflow)

/** The command that continues the work of a job. */
export const continueCommand = (job: Helped): string | undefined => {
  const { error, id, parked, result, status } = job
  if (status === "parked" && parked?.signal === approvalSignal) return `charlotte approve ${id}`
  if (status === "parked" && parked?.limits !== undefined) return costs.resumeCommand(id, parked.limits)
  if (status === "interrupted" || status === "parked") return `charlotte resume ${id}`
  const outcome = error?.error ?? result
  const tag = payload.string(outcome, "_tag")
  const command = payload.string(outcome, "command")
  const isKept = tag === "LandingBlocked" || tag === "ResultRejected"
  if (status === "failed" && isKept && command !== undefined) return command
  return canRetry(job) ? `charlotte retry ${id}` : undefined
}

/** The one command that helps. */
export const commandFor = (job: Helped): string => {
  const { id, parked, status } = job
  const answer = needsPerson.answerCommand(job)
  if (answer !== undefined) return answer
  const isOurs = parked?.signal === resumeSignal || parked?.signal === approvalSignal
  if (status === "parked" && parked?.signal !== undefined && !isOurs) return `charlotte signal ${id} ${parked.signal}`
  return continueCommand(job) ?? `charlotte show ${id}`
}

/** Why it needs a person. */
export const reasonFor = (job: Helped): string => {
  const { error, parked, status } = job
  const asks = needsPerson.asks(job)
  if (asks !== undefined) return why.text(asks)
  if (status === "parked") return why.text(parked?.reason ?? "")
  if (status === "failed") return error === undefined ? "" : why.ofError(error.error ?? error.cause)
  return "it was cut short, and nothing runs it"
}
