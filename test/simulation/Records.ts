/**
 * What the database holds, read anew after each commit, and everything that must never be in it or come of it.
 */
import { lifecycle } from "../../src/domain/JobEvent.js"
import type { Database } from "./Database.js"
import type { Kind } from "./Kind.js"
import type { Ledger } from "./Ledger.js"
import type { Life } from "./Life.js"
import type { Machine } from "./Machine.js"
import type { Processes } from "./Processes.js"
import { type Repository, targets } from "./Repository.js"
import { isObject, maybe, number, text } from "./rows.js"

export interface Job {
  readonly id: string
  status: string
  attempt: number
  key: string | null
  startKey: string | null
  priority: number
  waitsFor: string | null
  wokenBy: string | null
  /** The run that it retries. */
  readonly retryOf: string | null
  /** How often an attempt of it has failed and was to be followed by another, as its events say. */
  tries: number
  /** Whether it was committed by a transaction of the application, and has no event yet. */
  isInOutbox: boolean
  /** The commit since which it waits for a permit. */
  dueSince: number | undefined
  /** Of one that waits for a time: which, and since when. */
  dueAt: number | undefined
  waitsSince: number
  /** What it is parked for, and the signals that no attempt can have used up. */
  parkedFor: string | undefined
  fresh: Set<string>
  /** All signals that were sent to it, in order. */
  readonly signals: Array<Signal>
  seq: number
  /** The last lifecycle event. */
  last: string
  /** How many events each attempt has emitted. */
  readonly emitted: Map<number, number>
}

export interface Signal {
  readonly name: string
  readonly payload: unknown
}

export interface Shown {
  readonly jobId: string
  readonly seq: number
  readonly cursor: number
  readonly type: string
}

export interface Records {
  readonly jobs: ReadonlyMap<string, Job>
  readonly events: ReadonlyArray<Shown>
  /** The units that were merged. */
  readonly merged: ReadonlySet<string>
  /** The job and the attempt of a process that is recorded and not closed. */
  readonly intent: (cookie: string) => { readonly jobId: string; readonly attempt: number } | undefined
  /** Whether there are any. */
  readonly hasIntents: () => boolean
  /** Whether a producer has asked for something that is not applied yet. */
  readonly hasRequests: () => boolean
  /** Reads what was committed. */
  readonly refresh: (life: Life) => void
}

export const terminal: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"])

/** How an attempt ends. */
const ends = ["job.completed", "job.failed", "job.cancelled", "job.interrupted", "job.parked"]

/** What may follow a lifecycle event; emitted ones stand between. */
const successors: Readonly<Record<string, ReadonlyArray<string>>> = {
  "": ["job.started", "job.queued"],
  "job.queued": ["job.started", "job.failed", "job.cancelled"],
  "job.started": ["job.timeout", "job.stopping", ...ends],
  "job.resumed": ["job.timeout", "job.stopping", ...ends],
  "job.timeout": ["job.stopping", ...ends],
  "job.stopping": ["job.completed", "job.failed", "job.cancelled", "job.interrupted"],
  "job.interrupted": ["job.resumed", "job.failed", "job.cancelled"],
  "job.parked": ["job.resumed", "job.failed", "job.cancelled"]
}

const isEnd = (type: string): boolean => ends.includes(type)

/** A retry has the rank of new work. */
const rankOf = ({ status, wokenBy }: Waiting): number =>
  status === "interrupted" ? 0 : status === "parked" && wokenBy !== "retry" ? 1 : 2

/** Whether one run that waits begins before another one. */
const isBefore = (one: Waiting, other: Waiting): boolean => {
  if (one.priority !== other.priority) return one.priority > other.priority
  const rank = rankOf(one) - rankOf(other)
  return rank === 0 ? one.id < other.id : rank < 0
}

type Waiting = Pick<Job, "id" | "priority" | "status" | "wokenBy">

interface RunRow {
  readonly id: string
  readonly status: string
  readonly attempt: number
  readonly key: string | null
  readonly startKey: string | null
  readonly priority: number
  readonly waitsFor: string | null
  readonly wokenBy: string | null
  readonly retryOf: string | null
  readonly tries: number
  readonly dueAt: number | undefined
  readonly isInOutbox: boolean
}

interface EventRow {
  readonly cursor: number
  readonly job_id: string
  readonly seq: number
  readonly type: string
  readonly payload: string | null
}

interface Retry {
  readonly n: number
  readonly of: number
  /** The kind of the error. */
  readonly error: string
}

const errorKind = (payload: unknown): string => (isObject(payload) ? text(payload["error"], "kind") : "")

/** The retry for which a run parks with this event. */
const retryOf = (type: string, payload: string | null): Retry | undefined => {
  const parked: unknown = type === "job.parked" ? JSON.parse(payload ?? "null") : undefined
  const retry = isObject(parked) ? parked["retry"] : undefined
  if (!isObject(retry)) return undefined
  return { n: number(retry, "n"), of: number(retry, "of"), error: errorKind(retry) }
}

export const make = (
  machine: Machine,
  options: {
    readonly database: Database
    readonly maxJobs: number
    readonly recovery: "automatic" | "manual"
    readonly ledger: Ledger
    readonly processes: () => Processes
    readonly repository: Repository
    /** How failed attempts are retried. */
    readonly retry: Kind["retry"] | undefined
    /** Whether runs that wait begin in the order of all of them: each node of a cluster has its own. */
    readonly isOrdered: boolean
  }
): Records => {
  const { nameOf, timeline, trace, violate } = machine
  const { database, ledger, maxJobs, repository } = options
  const jobs = new Map<string, Job>()
  const events: Array<Shown> = []
  const merged = new Set<string>()
  /** Of a life: the commit in which a run that had waited last began. */
  const begun = new Map<Life, number>()
  let commits = 0
  let intents = new Map<string, { readonly jobId: string; readonly attempt: number }>()

  const runs = (): ReadonlyArray<RunRow> =>
    database
      .query(
        `SELECT id, status, attempt, key, start_key, priority, waits_for, iif(waits_for = 'time', due_at, NULL) AS due_at,
           outbox, woken_by, retry_of, tries FROM charlotte_runs ORDER BY id`
      )
      .map((row) => ({
        id: text(row, "id"),
        status: text(row, "status"),
        attempt: number(row, "attempt"),
        key: maybe(row, "key"),
        startKey: maybe(row, "start_key"),
        priority: number(row, "priority"),
        waitsFor: maybe(row, "waits_for"),
        wokenBy: maybe(row, "woken_by"),
        retryOf: maybe(row, "retry_of"),
        tries: number(row, "tries"),
        dueAt: number(row, "due_at") || undefined,
        isInOutbox: number(row, "outbox") === 1
      }))

  const since = (cursor: number): ReadonlyArray<EventRow> =>
    database
      .query("SELECT cursor, job_id, seq, type, payload FROM charlotte_events WHERE cursor > ? ORDER BY cursor", cursor)
      .map((row) => ({
        cursor: number(row, "cursor"),
        job_id: text(row, "job_id"),
        seq: number(row, "seq"),
        type: text(row, "type"),
        payload: maybe(row, "payload")
      }))

  /** One that has come to rest has nothing that runs: no fiber, no process. */
  const checkAtRest = (job: Job) => {
    const name = nameOf(job.id)
    const body = ledger.body(job.id)
    if (body !== undefined) violate(`${name} is ${job.last}, and its orchestrator still runs`)
    const children = ledger.children(job.id)
    if (children > 0) violate(`${name} is ${job.last}, and ${children} of its fibers still run`)
    for (const { cookie, pid } of options.processes().running()) {
      if (ledger.owner(cookie)?.jobId === job.id) violate(`${name} is ${job.last}, and its process ${pid} lives`)
    }
  }

  /** What an attempt has emitted is written before its end. */
  const checkWritten = (life: Life, { attempt, emitted, id, last }: Job) => {
    const accepted = ledger.accepted(life, id, attempt)
    const written = emitted.get(attempt) ?? 0
    if (written < accepted)
      violate(`${nameOf(id)} is ${last} with ${written} of the ${accepted} events that it emitted`)
  }

  /** What is said to be merged is in the branch of the result. */
  const checkMerged = () => {
    const rows = database.query("SELECT job_id, unit, commit_id FROM charlotte_units WHERE state = 'merged'")
    for (const row of rows) {
      const unit = `${text(row, "job_id")}/${text(row, "unit")}`
      if (merged.has(unit)) continue
      merged.add(unit)
      const result = repository.at(`charlotte/${text(row, "job_id")}/result`)
      if (result === undefined || !repository.contains(result, text(row, "commit_id")))
        violate(`unit ${text(row, "unit")} of ${nameOf(text(row, "job_id"))} is merged, and not in the result`)
    }
  }

  /** What a job of tasks has done is on its target, each task once, and nothing of the user's is lost. */
  const checkLanded = (job: Job) => {
    const units = database.query("SELECT unit, task FROM charlotte_tasks WHERE job_id = ?", job.id)
    if (units.length === 0) return
    const counts = targets.map((target) => {
      const tip = repository.at(target)
      if (tip === undefined || repository.ofUser(target).some((commit) => !repository.contains(tip, commit)))
        violate(`a commit of the user's is not on ${target} any more`)
      return tip === undefined ? new Map<string, number>() : repository.done(tip)
    })
    for (const row of units) {
      const task = `${job.id}/${text(row, "unit")}/${number(row, "task")}`
      const most = Math.max(...counts.map((count) => count.get(task) ?? 0))
      if (most !== 1) violate(`task ${task.replace(job.id, nameOf(job.id))} is landed ${most} times`)
    }
  }

  /** No signal is lost: one that was not used up wakes a run that parks for it. */
  const checkSignals = ({ fresh, id, parkedFor, status, waitsFor }: Job) => {
    if (status === "parked" && parkedFor !== undefined && fresh.has(parkedFor) && waitsFor !== "permit")
      violate(`${nameOf(id)} is parked for ${parkedFor}, which has come, and waits for ${waitsFor}`)
  }

  /**
   * A run that waited begins. Whoever comes before it was not there when the last one began, which is before the manager has
   * looked for the next. Interrupted runs may be continued by a caller at any time.
   */
  const checkOrder = (life: Life, job: Waiting) => {
    if (!options.isOrdered || job.status === "interrupted") return
    const last = begun.get(life) ?? 0
    begun.set(life, commits)
    for (const other of jobs.values()) {
      if (other.dueSince === undefined || other.dueSince >= last || other.id === job.id) continue
      if (other.status === "interrupted" && options.recovery === "manual") continue
      if (isBefore(other, job)) violate(`${nameOf(job.id)} has begun before ${nameOf(other.id)}, whose turn it was`)
    }
  }

  /** Of a paused kind nothing begins. */
  const checkPaused = (row: RunRow, known: Job | undefined) => {
    const hasBegun = row.status === "running" && (known?.status !== "running" || known.attempt !== row.attempt)
    if (hasBegun && ledger.isPaused()) violate(`${nameOf(row.id)} has begun, and its kind is paused`)
  }

  /** Each key is held by one job at most: one that waits for a key holds none. */
  const checkKeys = (rows: ReadonlyArray<RunRow>) => {
    const holders = rows.filter(({ status, waitsFor }) => !terminal.has(status) && waitsFor !== "key")
    for (const of of ["key", "startKey"] as const) {
      const keys = holders.flatMap((row) => row[of] ?? [])
      if (new Set(keys).size < keys.length) violate(`two jobs hold one ${of}`)
    }
  }

  /** A run is retried by one other at most. */
  const checkRetries = (rows: ReadonlyArray<RunRow>) => {
    const retried = rows.flatMap(({ retryOf }) => retryOf ?? [])
    for (const [i, id] of retried.entries())
      if (retried.indexOf(id) < i) violate(`${nameOf(id)} is retried by two runs`)
  }

  /** An attempt has failed, and is followed by another. */
  const countTry = (life: Life, job: Job, { error, n, of }: Retry) => {
    const name = nameOf(job.id)
    job.tries += 1
    if (n !== job.tries || n > of) violate(`${name} waits for retry ${n} of ${of}, and it is number ${job.tries}`)
    if (error !== "timeout" && ledger.hasGivenUp(life, job.id, job.attempt))
      violate(`${name} waits for a retry, and has failed for good`)
  }

  /** Only the last of the attempts fails its job. */
  const checkGivenUp = (life: Life, job: Job, payload: string | null) => {
    const { retry } = options
    if (retry === undefined || ledger.mayStop(job) || ledger.hasGivenUp(life, job.id, job.attempt)) return
    const kind = errorKind(JSON.parse(payload ?? "null"))
    const isRetried = kind === "failure" || (kind === "timeout" ? retry.timeouts : retry.defects)
    if (isRetried === true && job.tries < retry.times)
      violate(`${nameOf(job.id)} has failed by a ${kind} after ${job.tries} of ${retry.times} retries`)
  }

  const take = (life: Life, { cursor, job_id: jobId, payload, seq, type }: EventRow) => {
    const job = jobs.get(jobId)
    if (job === undefined) return violate(`an event of no job: ${jobId}`)
    const name = nameOf(jobId)
    if (seq !== job.seq + 1) violate(`${name} has event ${seq} after ${job.seq}`)
    if (cursor <= (events.at(-1)?.cursor ?? 0)) violate(`cursor ${cursor} does not rise`)
    job.seq = seq
    events.push({ jobId, seq, cursor, type })
    if (type === "job.signalled") {
      if (terminal.has(lifecycleOf(job.last))) violate(`${name} has ${type} after ${job.last}`)
      const signal: unknown = JSON.parse(payload ?? "null")
      const sent = isObject(signal) ? signal["payload"] : undefined
      if (job.signals.some(({ payload }) => payload === sent)) violate(`${name} has signal ${String(sent)} twice`)
      job.signals.push({ name: text(signal, "name"), payload: sent })
      job.fresh.add(text(signal, "name"))
      return
    }
    if (!type.startsWith("job.")) {
      if (terminal.has(lifecycleOf(job.last))) violate(`${name} has ${type} after ${job.last}`)
      const numbered: unknown = payload === null ? undefined : JSON.parse(payload)
      const attempt = isObject(numbered) && typeof numbered["attempt"] === "number" ? numbered["attempt"] : undefined
      const counted = attempt ?? job.attempt
      const n = (job.emitted.get(counted) ?? 0) + 1
      job.emitted.set(counted, n)
      if (isObject(numbered) && typeof numbered["n"] === "number") {
        if (numbered["n"] !== n) violate(`${name} has emitted event ${numbered["n"]} as number ${n}`)
        if (counted !== job.attempt) violate(`${name} has an event of attempt ${counted} in attempt ${job.attempt}`)
      }
      return
    }
    trace.say(`${name} ${seq} ${type}`)
    if (!successors[job.last]?.includes(type)) violate(`${name} has ${type} after ${job.last || "nothing"}`)
    // A run that waits is ended apart from its attempt, which another node may have ended before: its events were refused.
    const endsAttempt = isEnd(type) && !isEnd(job.last)
    const wasStopping = job.last === "job.stopping"
    const retry = retryOf(type, payload)
    job.last = type
    if (retry !== undefined) countTry(life, job, retry)
    // What a plan is the key of, which another start may replace, only the check knows: such jobs have no time limit.
    if (type === "job.stopping" && options.retry !== undefined && !ledger.mayStop(job))
      violate(`${name} has ${type}, and nobody has stopped it`)
    if (job.parkedFor !== undefined) job.fresh.delete(job.parkedFor)
    job.parkedFor = type === "job.parked" ? (maybe(JSON.parse(payload ?? "null"), "signal") ?? undefined) : undefined
    if (isEnd(type)) checkAtRest(job)
    if (endsAttempt) checkWritten(life, job)
    // A failed attempt that is to be retried is cancelled if a stop comes before its end.
    const isCancelled = options.retry !== undefined && wasStopping && type === "job.cancelled"
    const isFailure = type === "job.failed" || retry !== undefined || isCancelled
    if (endsAttempt && !isFailure && ledger.hasFailed(life, jobId, job.attempt))
      violate(`${name} has ${type}, and its work had failed before`)
    if (endsAttempt && type === "job.failed") checkGivenUp(life, job, payload)
    if (type === "job.completed") checkLanded(job)
  }

  return {
    jobs,
    events,
    merged,
    intent: (cookie) => intents.get(cookie),
    hasIntents: () => intents.size > 0,
    hasRequests: () => database.query("SELECT 1 FROM charlotte_requests LIMIT 1").length > 0,
    refresh: (life) => {
      const rows = runs()
      const started: Array<Waiting> = []
      commits += 1
      for (const row of rows) {
        const { id, status, waitsFor } = row
        const known = jobs.get(id)
        const dueSince = waitsFor === "permit" ? (known?.dueSince ?? commits) : undefined
        const waitsSince = known !== undefined && known.dueAt === row.dueAt ? known.waitsSince : timeline.now()
        checkPaused(row, known)
        if (ledger.isRolledBack(id)) violate(`${nameOf(id)} was rolled back, and is recorded`)
        if (known === undefined) {
          const news = {
            last: "",
            seq: 0,
            tries: 0,
            emitted: new Map<number, number>(),
            signals: [],
            fresh: new Set<string>()
          }
          jobs.set(id, { ...row, ...news, dueSince, waitsSince, parkedFor: undefined })
        } else {
          if (terminal.has(known.status) && known.status !== status)
            violate(`${nameOf(id)} was ${known.status} and is ${status}`)
          if (known.dueSince !== undefined && status === "running")
            started.push({ id, priority: known.priority, status: known.status, wokenBy: known.wokenBy })
          Object.assign(known, { ...row, dueSince, waitsSince, tries: known.tries })
        }
      }
      for (const waited of started) checkOrder(life, waited)
      checkMerged()
      if (rows.length < jobs.size) violate("a run is gone")
      for (const event of since(events.at(-1)?.cursor ?? 0)) take(life, event)
      for (const job of jobs.values()) {
        checkSignals(job)
        const expected = job.isInOutbox ? "" : job.status
        if (lifecycleOf(job.last) !== expected) violate(`${nameOf(job.id)} is ${job.status} after ${job.last}`)
      }
      const running = rows.filter(({ status }) => status === "running")
      if (running.length > maxJobs) violate(`${running.length} jobs are running, and ${maxJobs} may`)
      // Whoever is admitted has a permit, and so has whatever still runs.
      const alive = new Set([...ledger.alive(), ...running.map(({ id }) => id)])
      if (alive.size > maxJobs) violate(`${alive.size} jobs run or have fibers that do, and ${maxJobs} may`)
      checkKeys(rows)
      checkRetries(rows)
      for (const { id, tries } of rows)
        if (jobs.get(id)?.tries !== tries) violate(`${nameOf(id)} has ${tries} tries, and not ${jobs.get(id)?.tries}`)
      intents = new Map(
        database
          .query("SELECT cookie, job_id, attempt FROM charlotte_attempts WHERE closed_at IS NULL")
          .map((row) => [text(row, "cookie"), { jobId: text(row, "job_id"), attempt: number(row, "attempt") }])
      )
    }
  }
}

const statuses: Readonly<Record<string, string>> = lifecycle

const lifecycleOf = (event: string): string => statuses[event] ?? ""
