/**
 * What becomes of the jobs of the model, from the beginning of an attempt to the end of a job.
 */
import { byId, type Job } from "./Job.js"
import { Jobs, type Step } from "./Jobs.js"
import { pauseBefore } from "./Kind.js"

export class Lives extends Jobs {
  // Time

  /** When the next run is due, or the next attempt exceeds its time limit. */
  get next(): number {
    const waiting = this.jobs.filter(({ waitsFor }) => waitsFor === "time")
    const times = [...waiting.map(({ dueAt }) => dueAt), ...this.active.map((job) => this.limitOf(job))]
    return Math.min(...times.filter((time) => time > this.now))
  }

  private limitOf({ begunAt }: Job): number {
    return begunAt + this.kind.timeout
  }

  /** It is that late: attempts exceed their time limit, and runs that are due begin. */
  advance(now: number): void {
    this.now = now
    for (const job of this.active) {
      if (this.limitOf(job) > now) continue
      this.log(job.id, "job.timeout")
      this.failed(job, this.kind.retriesTimeouts)
    }
    for (const { dueAt, id, parkedFor, status, waitsFor } of this.jobs) {
      if (waitsFor !== "time" || dueAt > now) continue
      const wokenBy = status === "parked" ? (parkedFor === "retry" ? "retry" : "time") : undefined
      this.change(id, { waitsFor: "ready", dueAt: 0, wokenBy })
    }
    while (this.active.length < this.maxJobs) {
      const [first] = this.isPaused ? [...this.due].sort(byId) : this.due
      if (first === undefined) return
      this.begin(first)
    }
  }

  // Attempts

  /** The next attempt begins, unless another job holds the key that the check returns for the first. */
  protected begin(job: Job, isResumed = false): void {
    const { attempt, id, parkedFor, start, status, wokenBy } = job
    if (job.key === undefined && this.holder("key", start.key) !== undefined) {
      this.change(id, { key: start.key, waitsFor: "key" })
      return this.handOn("startKey", start.startKey)
    }
    const isStop = wokenBy === "stop"
    this.change(id, {
      status: "running",
      attempt: status === "pending" ? attempt : attempt + 1,
      key: start.key,
      begunAt: this.now,
      waitsFor: undefined,
      wokenBy: undefined,
      parkedFor: undefined,
      isStop,
      hasSignal: job.hasSignal && !(wokenBy === "signal" && parkedFor === "signal" && !isResumed)
    })
    const by = isResumed ? "resume" : wokenBy
    this.log(id, status === "pending" ? "job.started" : resumedBy(by), ...(isStop ? ["job.stopping"] : []))
  }

  /** Its attempt has failed, and is followed by another if there may be one. */
  failed(job: Job, isRetried = true): void {
    const tries = job.tries + 1
    if (job.isStop || !isRetried || tries > this.kind.times) return this.ended(job, "failed")
    const waits = this.kind.retriesAtOnce
      ? ({ waitsFor: "ready", wokenBy: "retry" } as const)
      : ({ waitsFor: "time", dueAt: this.now + pauseBefore(tries) } as const)
    this.change(job.id, { ...waits, status: "parked", parkedFor: "retry", tries, crashes: 0 })
    this.log(job.id, "job.parked")
  }

  /** It has parked for a signal, for so many days, or for whichever comes first. */
  parked(job: Job, { days, isForSignal }: { readonly days: number | undefined; readonly isForSignal: boolean }): void {
    const { hasSignal, id, isStop } = job
    if (isStop) return this.ended(job, "cancelled")
    const waits =
      isForSignal && hasSignal
        ? ({ waitsFor: "ready", wokenBy: "signal" } as const)
        : days === undefined
          ? ({ waitsFor: "signal" } as const)
          : days > 0
            ? ({ waitsFor: "time", dueAt: this.now + days * 86_400_000 } as const)
            : ({ waitsFor: "ready", wokenBy: "time" } as const)
    this.change(id, { ...waits, status: "parked", parkedFor: isForSignal ? "signal" : "time", crashes: 0 })
    this.log(id, "job.parked")
  }

  signalled({ id, parkedFor, status, waitsFor }: Job): void {
    const wakes = status === "parked" && parkedFor === "signal" && waitsFor !== "ready"
    this.change(id, { hasSignal: true, ...(wakes ? { waitsFor: "ready", wokenBy: "signal" } : {}) })
    this.log(id, "job.signalled")
  }

  /** A person resumes a parked run. */
  woken({ id, waitsFor, wokenBy }: Job): void {
    const isByTime = wokenBy === "time" || wokenBy === "retry"
    if (waitsFor !== "ready" || isByTime) this.change(id, { waitsFor: "ready", wokenBy: "resume" })
  }

  /** A person resumes an interrupted run. */
  resumed(job: Job): void {
    this.begin(job, true)
  }

  rescheduled(job: Job, priority: number, days: number | undefined): void {
    const { id, waitsFor } = job
    const startAt = days === undefined ? job.startAt : days === 0 ? undefined : this.now + days * 86_400_000
    const isMoved = startAt !== job.startAt
    if (priority === job.priority && !isMoved) return
    this.change(id, { priority, startAt, ...(isMoved && waitsFor !== "key" ? this.waitingSince(startAt) : {}) })
    this.log(id, "job.rescheduled")
  }

  emitted({ id }: Job, types: ReadonlyArray<string>): void {
    this.change(id, { crashes: 0 })
    this.log(id, ...types)
  }

  /** Does a step, and returns its recorded outcome. */
  step({ chain, id: by, tries }: Job, name: string, isOk: boolean, value: number): Step {
    const recorded = this.steps.find((step) => step.chain === chain && step.name === name)
    const isForgotten = recorded?.isOk === false && (recorded.by !== by || recorded.tries !== tries)
    if (recorded !== undefined && !isForgotten) return recorded
    const step = { chain, name, isOk, by, tries, value }
    this.steps = [...this.steps.filter((other) => other !== recorded), step]
    this.emitted(this.job(by), ["job.step"])
    return step
  }

  ended({ id, isStop }: Job, status: "completed" | "failed" | "cancelled"): void {
    const to = isStop ? "cancelled" : status
    this.change(id, { status: to, waitsFor: undefined, wokenBy: undefined, isStop: false, endedAt: this.now })
    this.log(id, `job.${to}`)
    this.release(this.job(id))
  }

  /** Whether a stop of it makes it run once more. */
  runsOnStop({ status, waitsFor }: Job): boolean {
    const isResting = status === "parked" || (status === "interrupted" && this.limits.recovery === "automatic")
    return this.kind.onStop === "run" && isResting && waitsFor !== "key"
  }

  /** A stop has made it due. */
  wokenToStop({ id }: Job): void {
    this.change(id, { waitsFor: "ready", wokenBy: "stop" })
  }

  stopping({ id }: Job): void {
    this.log(id, "job.stopping")
  }

  /** A waiting run is cancelled without `job.stopping`. */
  stopped(job: Job): void {
    if (job.status === "running" && !job.isStop) this.stopping(job)
    this.ended(job, "cancelled")
  }

  limited(maxJobs: number | "default"): void {
    this.maxJobs = maxJobs === "default" ? this.limits.maxJobs : maxJobs
  }
}

/** The entry in the log of a run that has waited, with what has woken it. */
export const resumedBy = (by: string | undefined): string => `job.resumed by ${by ?? "nobody"}`
