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
  readonly priority: number
  /** Of a pending run: when it is due, in milliseconds. */
  readonly dueAt: number
  /** Of a parked run: whether it is due. */
  readonly isWoken: boolean
  /** Whether a signal has come that no attempt has used up. */
  readonly hasSignal: boolean
  /** The run that retries it. */
  readonly retriedAs: JobId.JobId | undefined
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
    return this.jobs.filter(({ status }) => ["pending", "running", "interrupted", "parked"].includes(status))
  }

  /** When the pending runs are due, the earliest first. */
  get dueTimes(): ReadonlyArray<number> {
    const pending = this.jobs.filter(({ status }) => status === "pending")
    return pending.map(({ dueAt }) => dueAt).sort((a, b) => a - b)
  }

  /** Why a job with this key cannot start now: a run that waits holds its key. */
  obstacle(key: string | undefined): "MaxJobsReached" | "JobConflict" | undefined {
    return this.active.length >= maxJobs ? "MaxJobsReached" : this.conflict(key)
  }

  conflict(key: string | undefined): "JobConflict" | undefined {
    return key !== undefined && this.unfinished.some((job) => job.key === key) ? "JobConflict" : undefined
  }

  started(id: JobId.JobId, key: string | undefined, priority = 0): void {
    this.add({ id, key, priority, status: "running", dueAt: 0, log: ["job.started"] })
  }

  queued(
    id: JobId.JobId,
    { dueAt = 0, key, priority }: Pick<Job, "priority" | "key"> & Partial<Pick<Job, "dueAt">>
  ): void {
    this.add({ id, key, priority, status: "pending", dueAt, log: ["job.queued"] })
  }

  /** A new run retries it, with its key and its priority. */
  retried({ id, key, priority }: Job, retry: JobId.JobId): void {
    this.change(id, { retriedAs: retry })
    this.queued(retry, { key, priority })
  }

  private add(job: Pick<Job, "id" | "key" | "priority" | "status" | "dueAt" | "log">): void {
    this.jobs = [
      ...this.jobs,
      { ...job, attempt: 1, crashes: 0, isWoken: false, hasSignal: false, retriedAs: undefined }
    ]
  }

  /** Runs that are due begin, as far as there are permits: by priority, then parked before pending, then the oldest. */
  dispatch(now: number): void {
    const isDue = ({ dueAt, isWoken, status }: Job) =>
      status === "pending" ? dueAt <= now : status === "parked" && isWoken
    const first = (a: Job, b: Job) =>
      b.priority - a.priority || (a.status === b.status ? (a.id < b.id ? -1 : 1) : a.status === "parked" ? -1 : 1)
    while (this.active.length < maxJobs) {
      const [job] = this.jobs.filter(isDue).sort(first)
      if (job === undefined) return
      if (job.status === "parked") this.resumed(job)
      else this.change(job.id, { status: "running", log: [...job.log, "job.started"] })
    }
  }

  /** It has parked for a signal. */
  parked({ hasSignal, id, log }: Job): void {
    const used = { isWoken: hasSignal, hasSignal: false }
    this.change(id, { ...used, status: "parked", crashes: 0, log: [...log, "job.parked"] })
  }

  signalled({ id, isWoken, log, status }: Job): void {
    const wakes = status === "parked" && !isWoken
    this.change(id, { isWoken: isWoken || wakes, hasSignal: !wakes, log: [...log, "job.signalled"] })
  }

  woken({ id }: Job): void {
    this.change(id, { isWoken: true })
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
    this.change(id, { status: "running", attempt: attempt + 1, isWoken: false, log: [...log, "job.resumed"] })
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
