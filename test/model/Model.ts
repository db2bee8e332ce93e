/**
 * A minimal model of the state machine of jobs, with which a manager and its store are compared.
 */
import type { JobId, RunStatus } from "charlotte"

export const maxJobs = 3

const crashLimit = 3

export interface Job {
  readonly id: JobId.JobId
  readonly key: string | undefined
  readonly status: RunStatus.RunStatus
  readonly attempt: number
  /** Consecutive crashes without an emitted event. */
  readonly crashes: number
  /** The types of its events. */
  readonly log: ReadonlyArray<string>
}

export class Model {
  /** In start order. */
  jobs: ReadonlyArray<Job> = []

  get active(): ReadonlyArray<Job> {
    return this.jobs.filter(({ status }) => status === "running")
  }

  get unfinished(): ReadonlyArray<Job> {
    return this.jobs.filter(({ status }) => status === "running" || status === "interrupted")
  }

  /** Why a job with this key cannot start now: an interrupted run holds its key. */
  obstacle(key: string | undefined): "MaxJobsReached" | "JobConflict" | undefined {
    if (this.active.length >= maxJobs) return "MaxJobsReached"
    return key !== undefined && this.unfinished.some((job) => job.key === key) ? "JobConflict" : undefined
  }

  started(id: JobId.JobId, key: string | undefined): void {
    this.jobs = [...this.jobs, { id, key, status: "running", attempt: 1, crashes: 0, log: ["job.started"] }]
  }

  emitted({ id, log }: Job, types: ReadonlyArray<string>): void {
    this.change(id, { crashes: 0, log: [...log, ...types] })
  }

  ended({ id, log }: Job, status: "completed" | "failed" | "cancelled", before: ReadonlyArray<string> = []): void {
    this.change(id, { status, log: [...log, ...before, `job.${status}`] })
  }

  /** An interrupted run is cancelled without `job.stopping`. */
  stopped(job: Job): void {
    this.ended(job, "cancelled", job.status === "running" ? ["job.stopping"] : [])
  }

  resumed({ attempt, id, log }: Job): void {
    this.change(id, { status: "running", attempt: attempt + 1, log: [...log, "job.resumed"] })
  }

  closed(): void {
    for (const { id, log } of this.active)
      this.change(id, { status: "interrupted", crashes: 0, log: [...log, "job.interrupted"] })
  }

  crashed(): void {
    for (const job of this.active) {
      const crashes = job.crashes + 1
      this.change(job.id, { status: "interrupted", crashes, log: [...job.log, "job.interrupted"] })
      if (crashes >= crashLimit) this.ended(this.job(job.id), "failed")
    }
  }

  private job(id: JobId.JobId): Job {
    const found = this.jobs.find((job) => job.id === id)
    if (found === undefined) throw new Error(`the model has no job ${id}`)
    return found
  }

  private change(id: JobId.JobId, to: Partial<Job>): void {
    this.jobs = this.jobs.map((job) => (job.id === id ? { ...job, ...to } : job))
  }
}
