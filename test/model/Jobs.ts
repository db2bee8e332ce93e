/**
 * The jobs of the model: which keys and permits they hold, what they wait for, and in which order they begin.
 */
import type { JobId } from "charlotte"
import { byId, isOver, type Job } from "./Job.js"
import { type Kind, type Limits, limitsOf } from "./Kind.js"
import type { Start } from "./Start.js"

/** A recorded step of a chain. */
export interface Step {
  readonly chain: JobId.JobId
  readonly name: string
  readonly isOk: boolean
  readonly by: JobId.JobId
  readonly tries: number
  readonly value: number
}

/** Among runs of equal priority: interrupted before parked before pending and retried ones. */
const rank = ({ status, wokenBy }: Job): number =>
  status === "interrupted" ? 0 : status === "parked" && wokenBy !== "retry" ? 1 : 2

export class Jobs {
  readonly kind: Kind
  limits: Limits
  now = 0
  /** In start order. */
  jobs: ReadonlyArray<Job> = []
  steps: ReadonlyArray<Step> = []
  isPaused = false
  /** How many jobs run at once, as the last call of `limit` says. */
  maxJobs: number
  /** The types of the events that the comparison has read, up to a cursor. */
  readonly seen = new Map<JobId.JobId, ReadonlyArray<string>>()
  cursor = 0
  /** The idempotency keys that are in use, with their requests. */
  idempotencyKeys: ReadonlyArray<{ readonly key: string; readonly request: string; readonly id: JobId.JobId }> = []

  constructor(kind: Kind, limits: Limits) {
    this.kind = kind
    this.limits = limitsOf(kind, limits)
    this.maxJobs = limits.maxJobs
  }

  /** The ids of a producer are not in the order of its manager's. */
  get newestFirst(): ReadonlyArray<Job> {
    return [...this.jobs].sort(byId).reverse()
  }

  get active(): ReadonlyArray<Job> {
    return this.jobs.filter(({ status }) => status === "running")
  }

  get unfinished(): ReadonlyArray<Job> {
    return this.jobs.filter((job) => !isOver(job))
  }

  get over(): ReadonlyArray<Job> {
    return this.jobs.filter(isOver)
  }

  get pending(): ReadonlyArray<Job> {
    return this.jobs.filter(({ status }) => status === "pending")
  }

  job(id: JobId.JobId): Job {
    const found = this.jobs.find((job) => job.id === id)
    if (found === undefined) throw new Error(`the model has no job ${id}`)
    return found
  }

  retriedAs({ id }: Job): JobId.JobId | undefined {
    return this.jobs.find(({ retryOf }) => retryOf === id)?.id
  }

  protected change(id: JobId.JobId, to: Partial<Job>): void {
    this.jobs = this.jobs.map((job) => (job.id === id ? { ...job, ...to } : job))
  }

  protected log(id: JobId.JobId, ...types: ReadonlyArray<string>): void {
    this.change(id, { log: [...this.job(id).log, ...types] })
  }

  // Keys

  /** The job that holds a key, or else the first that waits for it. */
  protected holder(of: "key" | "startKey", key: string | undefined): Job | undefined {
    return this.owner(of, key) ?? this.waiters(of, key)[0]
  }

  private owner(of: "key" | "startKey", key: string | undefined): Job | undefined {
    return this.withKey(of, key).find(({ waitsFor }) => waitsFor !== "key")
  }

  protected waiters(of: "key" | "startKey", key: string | undefined): ReadonlyArray<Job> {
    return this.withKey(of, key)
      .filter(({ waitsFor }) => waitsFor === "key")
      .sort(byId)
  }

  private withKey(of: "key" | "startKey", key: string | undefined): ReadonlyArray<Job> {
    if (key === undefined) return []
    return this.unfinished.filter((job) => (of === "key" ? job.key : job.start.startKey) === key)
  }

  /** The first run that waits for a key gets it if it may hold all of its keys. */
  protected handOn(of: "key" | "startKey", key: string | undefined): void {
    const [waiter] = this.waiters(of, key)
    if (waiter === undefined) return
    const mayHold = (of: "key" | "startKey", key: string | undefined) =>
      key === undefined || (this.owner(of, key) === undefined && this.waiters(of, key)[0]?.id === waiter.id)
    if (mayHold("startKey", waiter.start.startKey) && mayHold("key", waiter.key)) {
      this.change(waiter.id, this.waitingSince(waiter.startAt))
    }
  }

  protected release({ key, start }: Job): void {
    this.handOn("startKey", start.startKey)
    this.handOn("key", key)
  }

  protected waitingSince(startAt = 0): Pick<Job, "waitsFor" | "dueAt"> {
    return startAt > this.now ? { waitsFor: "time", dueAt: startAt } : { waitsFor: "ready", dueAt: 0 }
  }

  /** Why a run with these keys does not start, unless it may wait for them. */
  conflict({ key, startKey }: Pick<Start, "key" | "startKey">): "JobConflict" | undefined {
    return (this.holder("startKey", startKey) ?? this.holder("key", key)) ? "JobConflict" : undefined
  }

  /** The same of a run that retries the job: jobs of `tasks` are checked again. */
  conflictOf({ key, start }: Job): "JobConflict" | undefined {
    return this.conflict({ startKey: start.startKey, key: this.kind.name === "tasks" ? start.key : key })
  }

  // Groups

  private activeOf(group: string | undefined): number {
    return group === undefined ? 0 : this.active.filter(({ start }) => start.group === group).length
  }

  /** Whether the manager begins a waiting run by itself. */
  private isContinued({ status }: Job): boolean {
    return status !== "interrupted" || this.limits.recovery === "automatic"
  }

  private readyOf(group: string): ReadonlyArray<Job> {
    return this.jobs.filter((job) => job.start.group === group && job.waitsFor === "ready" && this.isContinued(job))
  }

  private get most(): number {
    return this.limits.maxPerGroup ?? Infinity
  }

  /** The jobs of a group, as the store counts them: up to the limit. */
  group(group: string): { readonly most: number | undefined; readonly active: number; readonly waiting: number } {
    const { maxPerGroup: most } = this.limits
    const counted = (n: number) => Math.min(n, most ?? 0)
    return { most, active: counted(this.activeOf(group)), waiting: counted(this.readyOf(group).length) }
  }

  /** The run of a group that begins next; none if the group has no room. */
  private headOf(group: string): Job | undefined {
    const [head] = [...this.readyOf(group)].sort((a, b) => b.priority - a.priority || rank(a) - rank(b) || byId(a, b))
    return this.hasRoom(group) ? head : undefined
  }

  hasRoom(group: string | undefined): boolean {
    return this.activeOf(group) < this.most
  }

  /** Why no new run of the group begins now. */
  obstacle(group?: string): "KindPaused" | "MaxJobsReached" | undefined {
    if (this.isPaused) return "KindPaused"
    const isFull = group !== undefined && this.activeOf(group) + this.readyOf(group).length >= this.most
    return this.active.length >= this.maxJobs || isFull ? "MaxJobsReached" : undefined
  }

  // Order

  /** The runs that may begin, in order: of a group only the first, and in a pause only for a stop. */
  get due(): ReadonlyArray<Job> {
    const isNext = (job: Job) => {
      const { group } = job.start
      if (job.waitsFor !== "ready" || !this.isContinued(job)) return false
      if (this.isPaused) return job.wokenBy === "stop" && (group === undefined || this.headOf(group) !== undefined)
      return group === undefined || this.headOf(group)?.id === job.id
    }
    const activeOf = ({ start }: Job) => (this.isPaused ? 0 : this.activeOf(start.group))
    return this.jobs
      .filter(isNext)
      .sort((a, b) => b.priority - a.priority || activeOf(a) - activeOf(b) || rank(a) - rank(b) || byId(a, b))
  }

  /** What a run is shown to wait for. */
  shownWait(job: Job): string | undefined {
    const { start, waitsFor, wokenBy } = job
    if (waitsFor !== "ready") return waitsFor
    if (this.isPaused && wokenBy !== "stop") return "paused"
    return start.group === undefined || this.headOf(start.group)?.id === job.id ? "permit" : "group"
  }
}
