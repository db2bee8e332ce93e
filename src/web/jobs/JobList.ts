/**
 * A page of the list of jobs that stays up to date: it is read again soon after an event that changes it, at most once per interval
 * however many events there are, and while a shown job may report its progress. The last lines come from the events themselves.
 */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import type { Filter } from "../api/jobs.js"
import type { Job, JobEvent, JobPage, ListedJob } from "../api/models.js"
import type { Hub } from "../events/Hub.js"
import { type Line, ofTasks } from "./lastLine.js"
import { reportPause } from "../api/reportPause.js"
import { most } from "../../progress/needsPerson.js"

export interface Source {
  readonly hub: Pick<Hub, "subscribe" | "epoch">
  readonly list: (filter: Filter, signal: AbortSignal) => Promise<JobPage>
  readonly get: (id: string, signal: AbortSignal) => Promise<Job>
  /** The line of an event, if it has one. */
  readonly lineOf: (event: JobEvent) => Line | undefined
}

export interface JobList {
  readonly page: ReadonlySignal<JobPage | undefined>
  /** Jobs in statuses that may need a person; empty unless the list is the overview. */
  readonly waiting: ReadonlySignal<ReadonlyArray<ListedJob>>
  /** Whether more jobs than those may need a person. */
  readonly isMoreWaiting: ReadonlySignal<boolean>
  readonly error: ReadonlySignal<Error | undefined>
  /** The newest line of a shown job. */
  readonly line: (id: string) => ReadonlySignal<Line | undefined>
  readonly reload: () => void
  readonly close: () => void
}

/** Pause between two reads, so that the server has time for jobs. Searching is more expensive. */
const pauseMillis = 1_000
const searchPauseMillis = 3_000

/** Lines change no more often than this, so that they can be read. */
const lineMillis = 250

/** Jobs whose tasks are read because no event has arrived yet. */
const mostDetails = 30

/** How many lines are kept for jobs that are not listed yet; some of these jobs may not match the filter. */
const mostArriving = 100

const mayNeedPerson: ReadonlyArray<Pick<Filter, "handled" | "retried" | "status">> = [
  { status: "running" },
  { status: "parked" },
  { status: "failed", retried: false, handled: false },
  { status: "interrupted" }
]

const ofProgress = /^(unit\.|task\.(started|completed|failed)$)/

export const make = (source: Source, filter: Filter, isOverview: boolean): JobList => {
  const page = signal<JobPage | undefined>(undefined)
  const waiting = signal<ReadonlyArray<ListedJob>>([])
  const isMoreWaiting = signal(false)
  const error = signal<Error | undefined>(undefined)
  const lines = new Map<string, Signal<Line | undefined>>()
  const arriving = new Set<string>()
  const pause = filter.q === undefined ? pauseMillis : searchPauseMillis

  let control = new AbortController()
  let isReading = false
  let isDirty = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let reportTimer: ReturnType<typeof setTimeout> | undefined
  let pending = new Map<string, Line>()
  let lineTimer: ReturnType<typeof setTimeout> | undefined

  const lineOf = (id: string): Signal<Line | undefined> => {
    const known = lines.get(id)
    if (known !== undefined) return known
    const added = signal<Line | undefined>(undefined)
    lines.set(id, added)
    return added
  }

  const showLines = (): void => {
    lineTimer = undefined
    const latest = pending
    pending = new Map()
    batch(() => {
      for (const [id, line] of latest) lineOf(id).value = line
    })
  }

  /** Reads the tasks of running jobs that have no known line yet. */
  const readDetails = async (jobs: ReadonlyArray<ListedJob>, signal: AbortSignal): Promise<void> => {
    const unknown = jobs.filter(
      ({ id, progress, status }) =>
        status === "running" && progress?.pending !== undefined && lineOf(id).value === undefined
    )
    for (const { id } of unknown.slice(0, mostDetails)) {
      const line = ofTasks(await source.get(id, signal))
      if (lineOf(id).value === undefined) lineOf(id).value = line
    }
  }

  const forgetOthers = (jobs: ReadonlyArray<ListedJob>): void => {
    const ids = new Set(jobs.map(({ id }) => id))
    for (const id of ids) arriving.delete(id)
    for (const id of lines.keys()) if (!ids.has(id) && !arriving.has(id)) lines.delete(id)
  }

  const read = async (): Promise<void> => {
    clearTimeout(timer)
    clearTimeout(reportTimer)
    timer = undefined
    isDirty = false
    isReading = true
    control.abort()
    const { signal } = (control = new AbortController())
    let reportMillis: number | undefined
    try {
      const [found, ...urgent] = await Promise.all([
        source.list(filter, signal),
        ...(isOverview ? mayNeedPerson.map((of) => source.list({ ...filter, ...of, limit: most * 2 }, signal)) : [])
      ])
      if (signal.aborted) return
      batch(() => {
        page.value = found
        waiting.value = urgent.flatMap(({ jobs }) => jobs)
        // Few of those that run ask a question.
        isMoreWaiting.value = urgent.some(
          ({ next }, at) => next !== undefined && mayNeedPerson[at]?.status !== "running"
        )
        error.value = undefined
      })
      const shown = [...found.jobs, ...waiting.value]
      forgetOthers(shown)
      reportMillis = reportPause(shown)
      await readDetails(found.jobs, signal)
    } catch (cause) {
      if (!signal.aborted) error.value = cause instanceof Error ? cause : new Error(String(cause))
    }
    if (signal.aborted) return
    isReading = false
    timer = setTimeout(() => {
      timer = undefined
      if (isDirty) void read()
      else if (reportMillis !== undefined) reportTimer = setTimeout(() => void read(), reportMillis - pause)
    }, pause)
  }

  const expect = (id: string): void => {
    const [oldest] = arriving
    if (oldest !== undefined && arriving.size >= mostArriving) arriving.delete(oldest)
    arriving.add(id)
  }

  const onEvents = (events: ReadonlyArray<JobEvent>): void => {
    for (const event of events) {
      if (event.type === "job.started" && !lines.has(event.jobId)) expect(event.jobId)
      const isShown = lines.has(event.jobId) || arriving.has(event.jobId)
      if (event.type.startsWith("job.") || (isShown && ofProgress.test(event.type))) isDirty = true
      const line = isShown ? source.lineOf(event) : undefined
      if (line !== undefined) pending.set(event.jobId, line)
    }
    if (pending.size > 0) lineTimer ??= setTimeout(showLines, lineMillis)
    if (isDirty && !isReading && timer === undefined) void read()
  }

  const unsubscribe = source.hub.subscribe(onEvents)
  const stop = source.hub.epoch.subscribe((epoch) => {
    if (epoch > 0) void read()
  })

  return {
    page,
    waiting,
    isMoreWaiting,
    error,
    line: lineOf,
    reload: () => void read(),
    close: () => {
      unsubscribe()
      stop()
      control.abort()
      clearTimeout(timer)
      clearTimeout(reportTimer)
      clearTimeout(lineTimer)
    }
  }
}
