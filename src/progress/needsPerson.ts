/**
 * Which jobs need a person, most urgent first: jobs that wait for a signal, recently failed jobs that were not marked as seen, jobs
 * that wait to be resumed, and jobs that are parked until a time.
 */
import type { RunStatus } from "../domain/RunStatus.js"

/** Times are milliseconds. */
interface Listed {
  readonly id: string
  readonly status: RunStatus
  readonly endedAt?: number | undefined
  readonly waitsFor?: string | undefined
  readonly parked?: { readonly signal?: string | undefined } | undefined
}

const week = 7 * 86_400_000

/** How many jobs are shown above the list. */
export const most = 12

/** Lower is more urgent; undefined if the job needs no person. */
const urgency = ({ endedAt = 0, parked, status, waitsFor }: Listed, now: number): number | undefined => {
  if (status === "parked") {
    // The job continues as soon as a permit is free.
    if (waitsFor === "permit") return undefined
    return parked?.signal === undefined ? 3 : 0
  }
  if (status === "failed") return now - endedAt < week ? 1 : undefined
  return status === "interrupted" ? 2 : undefined
}

export const choose = <Job extends Listed>(
  jobs: ReadonlyArray<Job>,
  seen: ReadonlySet<string>,
  now: number
): ReadonlyArray<Job> =>
  jobs
    .flatMap((job) => {
      const of = urgency(job, now)
      return of === undefined || (job.status === "failed" && seen.has(job.id)) ? [] : [{ job, of }]
    })
    .sort((a, b) => a.of - b.of || (a.job.id < b.job.id ? 1 : -1))
    .map(({ job }) => job)
