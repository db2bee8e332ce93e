/**
 * Hints for errors in terms of the command line, if their own messages do not say what to do.
 */
import * as domain from "../../domain/errors.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import * as http from "../../http/contract/errors.js"
import { isRemote, remedy } from "./remoteErrors.js"

export const of = (error: unknown): string | undefined => {
  if (error instanceof domain.MaxJobsReached)
    return "wait for a job to end or stop one; list them with: charlotte jobs --status running"
  if (error instanceof domain.KindPaused) return `let them begin again with: charlotte unpause ${error.kind}`
  if (error instanceof domain.JobConflict) {
    const isRunning = (error.status ?? "running") === "running"
    return isRunning ? `watch it with: charlotte watch ${error.jobId}` : `see: charlotte show ${error.jobId}`
  }
  if (error instanceof domain.QueueFull) return "list them with: charlotte jobs --status pending"
  if (error instanceof domain.JobNotFound) return "list jobs with: charlotte jobs"
  if (error instanceof domain.JobEnded) return `see its result with: charlotte show ${error.jobId}`
  if (error instanceof domain.AlreadyAnswered || error instanceof domain.NoOpenQuestion)
    return `see its questions with: charlotte show ${error.jobId}`
  if (error instanceof domain.SubscriberNotFound) return "list them with: charlotte subscribers list"
  if (error instanceof domain.ScheduleNotFound) return "list them with: charlotte schedules list"
  if (error instanceof domain.TooManySignals) return `see what it waits for with: charlotte show ${error.jobId}`
  if (error instanceof domain.NotResumable) return instead(error.jobId)[error.status]
  if (error instanceof domain.NotReschedulable) return `see: charlotte show ${error.jobId}`
  if (error instanceof domain.NotRetryable) return insteadOfRetry(error)
  if (error instanceof domain.StopTimedOut) return `it is still stopping; see: charlotte show ${error.jobId}`
  if (error instanceof domain.ShuttingDown)
    return "try again when the daemon has restarted; see: charlotte daemon status"
  if (error instanceof domain.AlreadyManaged && error.node !== undefined)
    return "be another node with: charlotte daemon start --advertise HOST:PORT"
  if (error instanceof domain.AlreadyManaged)
    return error.machine === undefined ? "wait until it has exited" : "stop it there, or use another database"
  if (error instanceof domain.StoreError) return ofStore[error.reason]
  if (error instanceof http.DiffUnavailable && !["gone", "noRepository", "repository"].includes(error.reason))
    return `see: charlotte show ${error.jobId}`
  if (error instanceof http.ApprovalRefused) {
    const { jobId, reason } = error
    return reason === "otherCommit" ? `see: charlotte diff ${jobId}` : `see: charlotte show ${jobId}`
  }
  if (error instanceof http.LogNotFound) return `list its units and tasks with: charlotte show ${error.jobId}`
  if (error instanceof http.StepNotFound) return `list its steps with: charlotte show ${error.jobId}`
  if (error instanceof http.RequestRefused && error.reason === "token")
    return "name that of the daemon by --token-file FILE, CHARLOTTE_TOKEN or CHARLOTTE_TOKEN_FILE"
  if (error instanceof http.ConnectionFailed && isRemote(error)) return remedy(error)
  if (error instanceof http.UnexpectedAnswer && isRemote(error)) return "check the URL"
  if (error instanceof http.DaemonNotRunning && isRemote(error))
    return "check the URL, or start the daemon there with: charlotte daemon start --listen HOST:PORT"
  if (error instanceof http.ConnectionFailed || error instanceof http.UnexpectedAnswer)
    return "see: charlotte daemon status"
  if (error instanceof http.DaemonNotRunning) return "start a daemon with: charlotte daemon start"
  if (error instanceof http.NotReady) return "see: charlotte doctor"
  return undefined
}

/** Only an interrupted job can be resumed; this is what to do with others. */
const instead = (jobId: string): { readonly [S in RunStatus]: string } => ({
  pending: `it starts by itself; see what it waits for with: charlotte show ${jobId}`,
  running: `watch it with: charlotte watch ${jobId}`,
  interrupted: "fix that and try again",
  parked: `watch it with: charlotte watch ${jobId}`,
  completed: `see its result with: charlotte show ${jobId}`,
  failed: `continue in a new job with: charlotte retry ${jobId}`,
  cancelled: `continue in a new job with: charlotte retry ${jobId}`
})

const insteadOfRetry = ({ jobId, status }: domain.NotRetryable): string | undefined => {
  if (status === "interrupted" || status === "parked") return `continue it with: charlotte resume ${jobId}`
  return status === "running" || status === "pending" ? `watch it with: charlotte watch ${jobId}` : undefined
}

const ofStore: { readonly [R in domain.StoreError["reason"]]: string | undefined } = {
  busy: "try again in a moment",
  closed: "try again in a moment",
  unreachable: undefined,
  full: "free disk space and try again",
  replaced: "restart the daemon with: charlotte daemon restart",
  readonly: "see: charlotte doctor",
  corrupt: "see: charlotte doctor",
  version: "see: charlotte doctor",
  invalid: undefined,
  other: "see: charlotte doctor"
}
