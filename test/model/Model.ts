/**
 * A minimal model of the state machine of jobs, with which a manager and its store are compared.
 */
import type { JobId, RunStatus } from "charlotte"

export const maxJobs = 3

const crashLimit = 3

/** What a kind of job allows. */
export interface Kind {
  readonly name: string
  /** How often a failed attempt is followed by another. */
  readonly times: number
  /** The time limit of an attempt, in milliseconds. */
  readonly timeout: number
}

export const tasks: Kind = { name: "tasks", times: 0, timeout: Infinity }

/** Longer than a manager takes to restart, by the clock of the test, times the number of commands. */
export const work: Kind = { name: "work", times: 2, timeout: 100 }

/** Before the n-th retry, in milliseconds: no sum of such pauses, time limits and whole days is the same as another one. */
export const pauseBefore = (n: number): number => n * 86_400_000 + 7_919

export interface Job {
  readonly id: JobId.JobId
  readonly key: string | undefined
  readonly status: RunStatus.RunStatus
  readonly attempt: number
  /** How often an attempt has failed and was to be followed by another. */
  readonly tries: number
  /** When the current attempt has begun, in milliseconds. */
  readonly begunAt: number
  /** Consecutive crashes without an emitted event. */
  readonly crashes: number
  readonly priority: number
  /** Of a pending run, or of one that waits for a retry: when it is due, in milliseconds. */
  readonly dueAt: number
  /** Of a parked run: whether it waits for a retry, and not for a signal. */
  readonly isRetry: boolean
  /** Of a parked run: whether it is due before its time. */
  readonly isWoken: boolean
  /** Whether a signal has come that no attempt has used up. */
  readonly hasSignal: boolean
  /** The run that retries it. */
  readonly retriedAs: JobId.JobId | undefined
  /** The types of its events. */
  readonly log: ReadonlyArray<string>
}

export class Model {
  readonly kind: Kind
  now = 0

  constructor(kind: Kind) {
    this.kind = kind
  }

  /** In start order. */
  jobs: ReadonlyArray<Job> = []

  isPaused = false

  /** The ids of a producer are not in the order of its manager's. */
  get newestFirst(): ReadonlyArray<Job> {
    return [...this.jobs].sort((a, b) => (a.id < b.id ? 1 : -1))
  }

  get active(): ReadonlyArray<Job> {
    return this.jobs.filter(({ status }) => status === "running")
  }

  get unfinished(): ReadonlyArray<Job> {
    return this.jobs.filter(({ status }) => ["pending", "running", "interrupted", "parked"].includes(status))
  }

  /** When the next run is due, or the next attempt exceeds its time limit. */
  get next(): number {
    const waiting = this.jobs.filter(({ isRetry, isWoken, status }) => status === "pending" || (isRetry && !isWoken))
    const times = [...waiting.map(({ dueAt }) => dueAt), ...this.active.map((job) => this.limitOf(job))]
    return Math.min(...times.filter((time) => time > this.now))
  }

  private limitOf({ begunAt }: Job): number {
    return begunAt + this.kind.timeout
  }

  /** Why a job with this key cannot start now: a run that waits holds its key. */
  obstacle(key: string | undefined): "KindPaused" | "MaxJobsReached" | "JobConflict" | undefined {
    if (this.isPaused) return "KindPaused"
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
      {
        ...job,
        attempt: 1,
        tries: 0,
        begunAt: this.now,
        crashes: 0,
        isRetry: false,
        isWoken: false,
        hasSignal: false,
        retriedAs: undefined
      }
    ]
  }

  /** It is that late: attempts exceed their time limit, and runs that are due begin. */
  advance(now: number): void {
    this.now = now
    for (const job of this.active) if (this.limitOf(job) <= now) this.failed(job, ["job.timeout"])
    this.dispatch()
  }

  /**
   * Runs that are due begin, as far as there are permits: by priority, then those that have parked before those that are pending or
   * retried, then the oldest.
   */
  private dispatch(): void {
    const isDue = ({ dueAt, isRetry, isWoken, status }: Job) =>
      status === "pending" || (status === "parked" && isRetry && !isWoken) ? dueAt <= this.now : isWoken
    const rank = ({ isWoken }: Job) => (isWoken ? 0 : 1)
    const first = (a: Job, b: Job) => b.priority - a.priority || rank(a) - rank(b) || (a.id < b.id ? -1 : 1)
    while (!this.isPaused && this.active.length < maxJobs) {
      const [job] = this.jobs.filter(isDue).sort(first)
      if (job === undefined) return
      if (job.status === "parked") this.resumed(job)
      else this.change(job.id, { status: "running", begunAt: this.now, log: [...job.log, "job.started"] })
    }
  }

  /** Its attempt has failed, and is followed by another if there may be one. */
  failed(job: Job, before: ReadonlyArray<string> = []): void {
    const { id, log } = job
    const tries = job.tries + 1
    if (tries > this.kind.times) return this.ended(job, "failed", before)
    const dueAt = this.now + pauseBefore(tries)
    this.change(id, {
      status: "parked",
      isRetry: true,
      tries,
      dueAt,
      crashes: 0,
      log: [...log, ...before, "job.parked"]
    })
  }

  /** It has parked for a signal. */
  parked({ hasSignal, id, log }: Job): void {
    const used = { isWoken: hasSignal, hasSignal: false }
    this.change(id, { ...used, status: "parked", crashes: 0, log: [...log, "job.parked"] })
  }

  signalled({ id, isRetry, isWoken, log, status }: Job): void {
    const wakes = status === "parked" && !isRetry && !isWoken
    this.change(id, { isWoken: isWoken || wakes, hasSignal: !wakes, log: [...log, "job.signalled"] })
  }

  rescheduled({ id, log }: Job, priority: number): void {
    this.change(id, { priority, log: [...log, "job.rescheduled"] })
  }

  woken({ id }: Job): void {
    this.change(id, { isWoken: true })
  }

  emitted({ id, log }: Job, types: ReadonlyArray<string>): void {
    this.change(id, { crashes: 0, log: [...log, ...types] })
  }

  ended({ id, log }: Job, status: "completed" | "failed" | "cancelled", before: ReadonlyArray<string> = []): void {
    this.change(id, { status, isRetry: false, isWoken: false, log: [...log, ...before, `job.${status}`] })
  }

  /** An interrupted run is cancelled without `job.stopping`. */
  stopped(job: Job): void {
    this.ended(job, "cancelled", job.status === "running" ? ["job.stopping"] : [])
  }

  resumed({ attempt, id, log }: Job): void {
    this.change(id, {
      status: "running",
      attempt: attempt + 1,
      begunAt: this.now,
      isRetry: false,
      isWoken: false,
      log: [...log, "job.resumed"]
    })
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

  job(id: JobId.JobId): Job {
    const found = this.jobs.find((job) => job.id === id)
    if (found === undefined) throw new Error(`the model has no job ${id}`)
    return found
  }

  private change(id: JobId.JobId, to: Partial<Job>): void {
    this.jobs = this.jobs.map((job) => (job.id === id ? { ...job, ...to } : job))
  }
}
