/**
 * A minimal model of the state machine of jobs, with which a manager and its store are compared: jobs start, live, survive restarts and
 * are pruned.
 */
import type { JobId } from "charlotte"
import { isOver, type Job } from "./Job.js"
import { type Limits, limitsOf } from "./Kind.js"
import { Lives } from "./Lives.js"
import { isPrunable, pruned } from "./retention.js"
import type { Decision, How, Start } from "./Start.js"

const crashLimit = 3

const isReplacing = ({ start }: Job): boolean => start.whenKeyTaken === "replace"

export class Model extends Lives {
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
