/**
 * Which jobs need a person, most urgent first, and which only wait. A job that is parked until a time needs no person, nor does a failed
 * one that another job retries.
 */
import type { RunStatus } from "../domain/RunStatus.js"
import * as payload from "./payload.js"

/** Times are milliseconds. */
export interface Listed {
  readonly id: string
  readonly status: RunStatus
  readonly config?: unknown
  readonly waitsFor?: string | undefined
  readonly parked?: { readonly signal?: string | undefined; readonly until?: unknown } | undefined
}

/** How many jobs are shown above the list. */
export const most = 12

/** The jobs that retry others, by the job that they retry; of several, the newest. */
export const retries = <Job extends Pick<Listed, "id" | "config">>(
  jobs: ReadonlyArray<Job>
): ReadonlyMap<string, Job> => {
  const found = new Map<string, Job>()
  for (const job of jobs) {
    const former = payload.string(job.config, "retryOf")
    const known = former === undefined ? undefined : found.get(former)
    if (former !== undefined && (known === undefined || known.id < job.id)) found.set(former, job)
  }
  return found
}

/** Whether a job is parked, and continues by itself: at a time, or as soon as a permit is free. */
export const isWaiting = ({ parked, status, waitsFor }: Listed): boolean =>
  status === "parked" && (waitsFor === "permit" || (parked?.signal === undefined && parked?.until !== undefined))

/** Lower is more urgent; undefined if the job needs no person. */
const urgency = (job: Listed, retried: ReadonlyMap<string, unknown>): number | undefined => {
  if (job.status === "parked") return isWaiting(job) ? undefined : 0
  if (job.status === "failed") return retried.has(job.id) ? undefined : 1
  return job.status === "interrupted" ? 2 : undefined
}

/** The jobs that need a person. */
export const choose = <Job extends Listed>(
  jobs: ReadonlyArray<Job>,
  retried: ReadonlyMap<string, unknown>
): ReadonlyArray<Job> =>
  jobs
    .flatMap((job) => {
      const of = urgency(job, retried)
      return of === undefined ? [] : [{ job, of }]
    })
    .sort((a, b) => a.of - b.of || (a.job.id < b.job.id ? 1 : -1))
    .map(({ job }) => job)
