/**
 * What a person can do about an error whose own sentence does not say so: the end of that sentence.
 */
import * as domain from "../../domain/errors.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import * as http from "../../http/contract/errors.js"

export const of = (error: unknown): string | undefined => {
  if (error instanceof domain.MaxJobsReached)
    return "wait until one has ended, or stop one; see: charlotte jobs --status running"
  if (error instanceof domain.JobConflict) return `watch it with: charlotte watch ${error.jobId}`
  if (error instanceof domain.JobNotFound) return "see the jobs with: charlotte jobs"
  if (error instanceof domain.NotResumable) return instead(error.jobId)[error.status]
  if (error instanceof domain.StopTimedOut) return `it is still stopping; see: charlotte show ${error.jobId}`
  if (error instanceof domain.ShuttingDown) return "try again when it is up again; see: charlotte daemon status"
  if (error instanceof domain.AlreadyManaged) return "wait until it has ended"
  if (error instanceof domain.StoreError) return ofStore[error.reason]
  if (error instanceof http.LogNotFound) return `see its units and tasks with: charlotte show ${error.jobId}`
  if (error instanceof http.ConnectionFailed || error instanceof http.UnexpectedAnswer)
    return "see: charlotte daemon status"
  if (error instanceof http.NotReady) return "see: charlotte doctor"
  return undefined
}

/** Of going on with a job, which only one that was interrupted can. */
const instead = (jobId: string): { readonly [S in RunStatus]: string } => ({
  pending: `watch it with: charlotte watch ${jobId}`,
  running: `watch it with: charlotte watch ${jobId}`,
  interrupted: "mend that, and try again",
  completed: `see what it has done with: charlotte show ${jobId}`,
  failed: `go on with what is left in a new job: charlotte retry ${jobId}`,
  cancelled: `go on with what is left in a new job: charlotte retry ${jobId}`
})

const ofStore: { readonly [R in domain.StoreError["reason"]]: string | undefined } = {
  busy: "try again in a moment",
  closed: "try again in a moment",
  full: "make room on the disk, and try again",
  replaced: "restart the daemon with: charlotte daemon restart",
  readonly: "see: charlotte doctor",
  corrupt: "see: charlotte doctor",
  version: "see: charlotte doctor",
  invalid: undefined,
  other: "see: charlotte doctor"
}
