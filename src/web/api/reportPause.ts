/**
 * When jobs are read again for their progress: a job of an own kind reports it without an event.
 */
import type { Job, ListedJob } from "./models.js"

/** Between two reads of a job that has reported its progress, which it changes at most once a second. */
const pauseMillis = 1_000

/** Between two reads of a job that has reported nothing yet. */
const firstMillis = 5_000

/** Whether a job may report: a job with tasks has events for them. */
const mayReport = (job: Job | ListedJob): boolean =>
  job.status === "running" && ("units" in job ? job.units.length === 0 : job.progress?.pending === undefined)

/** Milliseconds until the next read; undefined if none of the jobs may report. */
export const reportPause = (jobs: ReadonlyArray<Job | ListedJob>): number | undefined => {
  const reporting = jobs.filter(mayReport)
  if (reporting.length === 0) return undefined
  return reporting.some(({ progress }) => progress !== undefined) ? pauseMillis : firstMillis
}
