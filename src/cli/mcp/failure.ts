/**
 * The answer to a call that has failed: what happened, as data, and what to do.
 */
import { Cause, Option, Predicate } from "effect"
import { Problem } from "../../daemon/Problem.js"
import * as formatError from "../errors/formatError.js"
import { Hinted } from "../errors/Hinted.js"
import { exitOf } from "../errors/exitOf.js"
import * as Untrusted from "./Untrusted.js"

const toList = "call list for the ids of jobs"
const toPlan = "correct the files of the task directory, and call plan again"

/** By the tag of the error, in terms of tools instead of commands. */
const advice: Readonly<Record<string, string>> = {
  AlreadyAnswered: "call explain for the questions that are open",
  AmbiguousJob: toList,
  ApprovalRefused: "call explain for the commit that waits for approval, if there is one",
  CursorAhead: "call follow with next of the call before, or without after",
  InvalidArguments: "call the tool again with arguments of its input schema",
  InvalidJobConfig: toPlan,
  InvalidJobRef: toList,
  InvalidPlan: toPlan,
  JobNotFound: toList,
  MaxJobsReached: "call the tool again once a job has ended, or stop one",
  NoOpenQuestion: "call explain for the questions that are open",
  NoSuchJob: toList,
  NotResponding: "call the tool again in a moment; if that does not help, show the message to the person",
  NotRetryable: "call show for the status of the job: only a failed, cancelled, interrupted or parked job is retried"
}

const tagOf = (error: unknown): string => {
  if (error instanceof Problem) return error.name
  return Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : "Failure"
}

/** `said`: what the command has printed to standard error, which is all there is if it has quit. */
export const of = (cause: Cause.Cause<unknown>, said: string) => {
  const failed = Option.getOrUndefined(Cause.failureOption(cause))
  const error = failed instanceof Hinted ? failed.error : failed
  const { text } = formatError.format(failed instanceof Hinted ? Cause.fail(error) : cause, {
    json: false,
    debug: false
  })
  const hint =
    error === undefined ? "ask the person to run: charlotte doctor" : (advice[tagOf(error)] ?? exitOf(error)[1])
  return {
    error: tagOf(error ?? { _tag: "Defect" }),
    message: Untrusted.lines(text === "" ? said : text),
    ...(hint && { hint })
  }
}
