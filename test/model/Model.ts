/**
 * A minimal model of the state machine of jobs, with which a manager and its store are compared.
 */
import type { JobId } from "charlotte"
import { type Kind, type Limits, limitsOf, pauseBefore } from "./Kind.js"
import { isOver, type Job } from "./Job.js"
import { isPrunable, pruned } from "./retention.js"
import type { Decision, How, Start } from "./Start.js"

const crashLimit = 3

/** A recorded step of a chain. */
interface Step {
  readonly chain: JobId.JobId
  readonly name: string
  readonly isOk: boolean
  readonly by: JobId.JobId
  readonly tries: number
  readonly value: number
}

const byId = (a: Job, b: Job): number => (a.id < b.id ? -1 : 1)

/** Among runs of equal priority: interrupted before parked before pending and retried ones. */
const rank = ({ status, wokenBy }: Job): number =>
  status === "interrupted" ? 0 : status === "parked" && wokenBy !== "retry" ? 1 : 2

export class Model {
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

  private change(id: JobId.JobId, to: Partial<Job>): void {
    this.jobs = this.jobs.map((job) => (job.id === id ? { ...job, ...to } : job))
  }

  private log(id: JobId.JobId, ...types: ReadonlyArray<string>): void {
    this.change(id, { log: [...this.job(id).log, ...types] })
  }

  // Keys

  /** The job that holds a key, or else the first that waits for it. */
  private holder(of: "key" | "startKey", key: string | undefined): Job | undefined {
    return this.owner(of, key) ?? this.waiters(of, key)[0]
  }

  private owner(of: "key" | "startKey", key: string | undefined): Job | undefined {
    return this.withKey(of, key).find(({ waitsFor }) => waitsFor !== "key")
  }

  private waiters(of: "key" | "startKey", key: string | undefined): ReadonlyArray<Job> {
    return this.withKey(of, key)
      .filter(({ waitsFor }) => waitsFor === "key")
      .sort(byId)
  }

  private withKey(of: "key" | "startKey", key: string | undefined): ReadonlyArray<Job> {
    if (key === undefined) return []
    return this.unfinished.filter((job) => (of === "key" ? job.key : job.start.startKey) === key)
  }

  /** The first run that waits for a key gets it if it may hold all of its keys. */
  private handOn(of: "key" | "startKey", key: string | undefined): void {
    const [waiter] = this.waiters(of, key)
    if (waiter === undefined) return
    const mayHold = (of: "key" | "startKey", key: string | undefined) =>
      key === undefined || (this.owner(of, key) === undefined && this.waiters(of, key)[0]?.id === waiter.id)
    if (mayHold("startKey", waiter.start.startKey) && mayHold("key", waiter.key)) {
      this.change(waiter.id, this.waitingSince(waiter.startAt))
    }
  }

  private release({ key, start }: Job): void {
    this.handOn("startKey", start.startKey)
    this.handOn("key", key)
  }

  private waitingSince(startAt = 0): Pick<Job, "waitsFor" | "dueAt"> {
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

  // Time and order

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

  /** The next attempt begins, unless another job holds the key that the check returns for the first. */
  private begin(job: Job, isResumed = false): void {
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

  // Starts

  /** What a start does. */
  decide(start: Start, { isChecked, isPlain, isQueued, maxQueued, request }: How): Decision {
    const { idempotencyKey, whenKeyTaken } = start
    const known = this.idempotencyKeys.find(({ key }) => idempotencyKey !== undefined && key === idempotencyKey)
    if (known !== undefined) {
      return known.request === request
        ? { _tag: "Existing", id: known.id }
        : { _tag: "Refused", error: "IdempotencyKeyReused" }
    }
    const byStartKey = this.holder("startKey", start.startKey)
    const refused = byStartKey !== undefined && whenKeyTaken === "refuse"
    if (refused && !isPlain) return { _tag: "Refused", error: "JobConflict" }
    // What waits anyway, or gets the run that holds its start key, needs no permit.
    const needsPermit = !isQueued && start.days === 0 && (byStartKey === undefined || refused)
    const obstacle = needsPermit ? this.obstacle(start.group) : undefined
    if (obstacle !== undefined && start.whenFull === "refuse") return { _tag: "Refused", error: obstacle }
    const byKey = isChecked ? this.holder("key", start.key) : undefined
    const holder = byStartKey ?? byKey
    if (holder !== undefined && whenKeyTaken === "refuse") return { _tag: "Refused", error: "JobConflict" }
    if (holder !== undefined && whenKeyTaken === "attach") {
      return { _tag: "Existing", id: holder.id, attaches: idempotencyKey !== undefined }
    }
    const isBehindKey = holder !== undefined
    const isPending = isBehindKey || isQueued || start.days > 0 || obstacle !== undefined
    if (isPending && this.pending.length >= maxQueued) return { _tag: "Refused", error: "QueueFull" }
    const replacedBy = (of: "key" | "startKey", taken: Job | undefined) =>
      taken === undefined
        ? []
        : [taken, ...this.waiters(of, of === "key" ? taken.key : taken.start.startKey).filter(isReplacing)]
    const replaced =
      whenKeyTaken === "replace" ? [...replacedBy("startKey", byStartKey), ...replacedBy("key", byKey)] : []
    return { _tag: "New", isPending, isBehindKey, replaced: replaced.map(({ id }) => id) }
  }

  /** The start has returned that id. */
  started(id: JobId.JobId, start: Start, decision: Decision, { isChecked, request }: How): void {
    const { idempotencyKey: key } = start
    const isNew = decision._tag === "New"
    if (key !== undefined && (isNew || (decision._tag === "Existing" && decision.attaches === true))) {
      this.idempotencyKeys = [...this.idempotencyKeys, { key, request, id }]
    }
    if (isNew) this.add(id, start, { ...decision, isChecked })
  }

  private add(
    id: JobId.JobId,
    start: Start,
    {
      isBehindKey = false,
      isChecked,
      isPending,
      replaced = [],
      retryOf,
      ...others
    }: Partial<Extract<Decision, { readonly _tag: "New" }>> &
      Pick<How, "isChecked"> & { readonly retryOf?: Job; readonly isFresh?: boolean; readonly parent?: JobId.JobId }
  ): void {
    const startAt = start.days === 0 ? undefined : this.now + start.days * 86_400_000
    const waits = isBehindKey ? { waitsFor: "key" as const, dueAt: 0 } : this.waitingSince(startAt)
    const job: Job = {
      id,
      start,
      key: isChecked ? start.key : undefined,
      status: isPending === true ? "pending" : "running",
      attempt: 1,
      tries: 0,
      priority: start.priority,
      begunAt: this.now,
      endedAt: 0,
      crashes: 0,
      ...waits,
      ...(isPending === true ? {} : { waitsFor: undefined }),
      startAt,
      wokenBy: undefined,
      parkedFor: undefined,
      isStop: false,
      hasSignal: false,
      isPinned: false,
      retryOf: retryOf?.id,
      chain: retryOf === undefined || others.isFresh === true ? id : retryOf.chain,
      parent: others.parent,
      log: [isPending === true ? "job.queued" : "job.started"]
    }
    this.jobs = [...this.jobs, job]
    for (const other of replaced) this.replace(other)
  }

  private replace(id: JobId.JobId): void {
    const job = this.job(id)
    // An attempt that runs for a stop has the time of that stop to end.
    if (!isOver(job) && !job.isStop) this.stopped(job)
  }

  /** A new run retries it, with its keys, its group and its priority. */
  retried(job: Job, retry: JobId.JobId, isFresh: boolean): void {
    const { key, priority, start } = job
    const again = { ...start, priority, days: 0, whenKeyTaken: "refuse" as const, idempotencyKey: undefined }
    const isChecked = key !== undefined || this.kind.name === "tasks"
    this.add(retry, again, { isPending: true, isChecked, retryOf: job, isFresh })
  }

  // What becomes of a job

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

  // Restarts

  closed(limits: Limits): void {
    for (const job of this.active) this.interrupted(job, 0)
    this.restarted(limits)
  }

  crashed(limits: Limits): void {
    const crashed = this.active
    this.restarted(limits)
    for (const job of crashed) {
      const crashes = job.crashes + 1
      this.interrupted(job, crashes)
      if (crashes >= crashLimit && this.job(job.id).status === "interrupted") this.ended(this.job(job.id), "failed")
    }
  }

  private restarted(limits: Limits): void {
    this.limits = limitsOf(this.kind, limits)
    this.maxJobs = this.limits.maxJobs
  }

  /** An attempt that runs for a stop continues only if interrupted runs do. */
  private interrupted(job: Job, crashes: number): void {
    const { id, isStop } = job
    if (isStop && this.limits.recovery === "manual") return this.ended(job, "cancelled")
    const wokenBy = isStop ? "stop" : undefined
    this.change(id, { status: "interrupted", waitsFor: "ready", wokenBy, isStop: false, crashes })
    this.log(id, "job.interrupted")
  }

  // Retention

  pinned({ id }: Job, isPinned: boolean): void {
    this.change(id, { isPinned })
  }

  /** The runs that the retention of the kind prunes now. */
  get toPrune(): ReadonlyArray<Job> {
    return pruned(this.jobs, this.limits.retention, this.now)
  }

  /** The runs that a pruning without any limit would prune. */
  get prunable(): ReadonlyArray<Job> {
    return this.over.filter((job) => isPrunable(job, this.jobs))
  }

  pruned(ids: ReadonlyArray<JobId.JobId>): void {
    this.jobs = this.jobs.filter(({ id }) => !ids.includes(id))
    this.idempotencyKeys = this.idempotencyKeys.filter(({ id }) => !ids.includes(id))
    this.steps = this.steps.filter(({ chain }) => !ids.includes(chain))
  }
}

/** The entry in the log of a run that has waited, with what has woken it. */
export const resumedBy = (by: string | undefined): string => `job.resumed by ${by ?? "nobody"}`

const isReplacing = ({ start }: Job): boolean => start.whenKeyTaken === "replace"
