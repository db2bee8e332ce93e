/**
 * Which finished runs a retention prunes.
 */
import type { JobManager } from "charlotte"
import { Duration } from "effect"
import { isOver, type Job } from "./Job.js"

const chainOf = ({ chain }: Job, jobs: ReadonlyArray<Job>) => jobs.filter((other) => other.chain === chain)

/** A chain of retries is pruned with its last run, once all of its runs are over and not pinned, and no parent may read of its end. */
export const isPrunable = (job: Job, jobs: ReadonlyArray<Job>): boolean => {
  const chain = chainOf(job, jobs)
  const isLast = !chain.some(({ retryOf }) => retryOf === job.id)
  const isAwaited = jobs.some((other) => other.id === job.parent && !isOver(other))
  return isLast && !isAwaited && chain.every((run) => isOver(run) && !run.isPinned)
}

/** How long a run is kept after its end, in milliseconds. */
export const ageOf = ({ cancelled, completed, failed }: JobManager.Retention, { status }: Job): number => {
  const age = { completed, failed, cancelled: cancelled ?? failed }[String(status)]
  return age === undefined ? Infinity : Duration.toMillis(age)
}

/** The runs that a pruning removes. */
export const pruned = (jobs: ReadonlyArray<Job>, retention: JobManager.Retention, now: number): ReadonlyArray<Job> => {
  const prunable = jobs
    .filter((job) => isOver(job) && isPrunable(job, jobs))
    .sort((a, b) => a.endedAt - b.endedAt || (a.id < b.id ? -1 : 1))
  const expired = prunable
    .filter((job) => job.endedAt + ageOf(retention, job) <= now)
    .flatMap((job) => chainOf(job, jobs))
  const { maxRuns = Infinity } = retention
  const left = jobs.filter((job) => isOver(job) && !job.isPinned && !expired.includes(job)).length
  const excess: Array<Job> = []
  for (const job of prunable) {
    if (!expired.includes(job) && excess.length < left - maxRuns) excess.push(...chainOf(job, jobs))
  }
  return [...expired, ...excess]
}
