/**
 * The in-memory store: the same rules, no persistence. For tests, and for applications that need no history.
 */
import { Effect, Option, Order } from "effect"
import { JobConflict, Superseded } from "../domain/errors.js"
import { parse, toJson } from "../internal/Json.js"
import { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import { Run, RunError } from "../domain/Run.js"
import { isTerminal } from "../domain/RunStatus.js"
import type { OpenProcess } from "./ChildProcessStore.js"
import type { Owner, OwnerStore } from "./OwnerStore.js"
import * as Ownership from "./Ownership.js"
import type { AcceptedEvent, NewRun, Service } from "./RunStoreService.js"
import * as MemoryTaskProgressStore from "./MemoryTaskProgressStore.js"
import * as Page from "./Page.js"
import * as ChangeNotifier from "./ChangeNotifier.js"
import * as RunTransition from "./RunTransition.js"

interface Logged {
  readonly event: JobEvent
  /** Size of the payload as JSON. */
  readonly bytes: number
}

interface Entry {
  readonly submitted: NewRun
  readonly events: Array<Logged>
  state: RunTransition.State
}

const toRun = ({ state, submitted }: Entry): Run =>
  new Run(
    {
      id: submitted.id,
      kind: submitted.kind,
      status: state.status,
      attempt: state.attempt,
      config: submitted.config,
      labels: submitted.labels,
      createdAt: submitted.at,
      ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
      ...(state.endedAt === undefined ? {} : { endedAt: state.endedAt }),
      ...(state.status === "completed" ? { result: state.result } : {}),
      ...(state.error === undefined ? {} : { error: state.error })
    },
    { disableValidation: true }
  )

const isActive = ({ state }: Entry): boolean => state.status === "pending" || state.status === "running"

/** A copy: the caller may mutate what it passed in. */
const snapshot = (state: RunTransition.State): RunTransition.State => ({
  ...state,
  result: toJson(state.result),
  error: state.error && new RunError({ ...state.error, error: toJson(state.error.error) }, { disableValidation: true })
})

/** One atomic step: no other fiber runs between check, write and notification. */
const write = <A, E>(body: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.uninterruptible(Effect.suspend(body))

const byId = Order.mapInput(Order.string, ({ submitted }: Entry) => submitted.id)

export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const notifier = yield* ChangeNotifier.make
  const entries = new Map<JobId, Entry>()
  const owned = new Map<string, Owner>()
  const log: Array<Logged> = []
  const processes = new Map<string, OpenProcess>()

  const append = (entry: Entry, events: ReadonlyArray<AcceptedEvent>) => {
    for (const { at, payload, task, type, unit } of events) {
      const event = new JobEvent(
        {
          jobId: entry.submitted.id,
          seq: entry.events.length + 1,
          cursor: log.length + 1,
          at,
          type,
          ...(unit === undefined ? {} : { unit }),
          ...(task === undefined ? {} : { task }),
          ...(payload === undefined ? {} : { payload: parse(payload) })
        },
        { disableValidation: true }
      )
      const logged = { event, bytes: payload === undefined ? 0 : Buffer.byteLength(payload) }
      entry.events.push(logged)
      log.push(logged)
    }
    return notifier.wake([entry.submitted.id])
  }

  const conflict = (kind: string, key: string | undefined): JobConflict | undefined => {
    const holder = [...entries.values()].find(
      (entry) => key !== undefined && entry.submitted.kind === kind && entry.state.key === key && isActive(entry)
    )
    return holder && key !== undefined ? new JobConflict({ jobId: holder.submitted.id, key }) : undefined
  }

  /** The entry of a job whose running attempt this is. */
  const current = (jobId: JobId, attempt: number): Entry | undefined => {
    const entry = entries.get(jobId)
    return entry && RunTransition.acceptsEvents(entry.state, attempt) ? entry : undefined
  }

  const work = MemoryTaskProgressStore.make((jobId, attempt) => current(jobId, attempt) !== undefined)

  const owners: Omit<OwnerStore, "acquire"> = {
    get: (kind) => Effect.sync(() => Option.fromNullable(owned.get(kind))),
    claim: (owner, replacing) =>
      Effect.sync(() => {
        const unchanged = owned.get(owner.kind)?.id === Option.getOrUndefined(replacing)?.id
        if (unchanged) owned.set(owner.kind, owner)
        return unchanged
      }),
    release: (owner) =>
      Effect.sync(() => {
        if (owned.get(owner.kind)?.id === owner.id) owned.delete(owner.kind)
      })
  }

  /** Matching entries, sorted by id. */
  const sorted = (matches: (entry: Entry) => boolean) => [...entries.values()].filter(matches).sort(byId)

  const page: Service["page"] = ({ before, kind, labels = {}, limit: requested = 100, status } = {}) =>
    Effect.map(Page.limit("list runs", { before, limit: requested }), (limit) => {
      const found = sorted(
        ({ state, submitted }) =>
          (kind === undefined || submitted.kind === kind) &&
          (status === undefined || state.status === status) &&
          (before === undefined || submitted.id < before) &&
          Object.entries(labels).every(([name, value]) => submitted.labels[name] === value)
      ).reverse()
      const runs = found.slice(0, limit).map(toRun)
      return { runs, next: Option.fromNullable(found.length > limit ? runs.at(-1)?.id : undefined) }
    })

  return {
    outsideTransaction: Effect.void,
    changes: notifier.get,

    get: (id) => Effect.sync(() => Option.map(Option.fromNullable(entries.get(id)), toRun)),

    withWork: (id) =>
      Effect.suspend(() => {
        const entry = entries.get(id)
        return entry === undefined
          ? Effect.succeedNone
          : Effect.map(work.of(id), (work) => Option.some({ run: toRun(entry), work }))
      }),

    submission: (id) =>
      Effect.sync(() => Option.map(Option.fromNullable(entries.get(id)?.submitted.submission), parse)),

    page,
    list: (query) => Effect.map(page(query), ({ runs }) => runs),

    unfinished: ({ after, kind, status, ...query }) =>
      Effect.map(Page.limit("list unfinished runs", { ...query, after }), (limit) =>
        sorted(
          ({ state, submitted }) =>
            submitted.kind === kind &&
            (status === undefined ? !isTerminal(state.status) : state.status === status) &&
            (after === undefined || submitted.id > after)
        )
          .slice(0, limit)
          .map((entry) => ({
            run: toRun(entry),
            stopping: entry.state.stoppingAt !== undefined,
            crashes: entry.state.crashes
          }))
      ),

    events: ({ after, jobId, kind, ...query }) =>
      Effect.map(Page.limit("read events", { ...query, after }), (limit) => {
        const entry = entries.get(jobId)
        if (entry === undefined || entry.submitted.kind !== kind) return Option.none()
        const candidates = entry.events.slice(after, after + limit)
        const events = candidates
          .slice(
            0,
            Page.fitting(candidates, ({ bytes }) => bytes)
          )
          .map(({ event }) => event)
        const more = events.length < candidates.length || candidates.length === limit
        return Option.some({ events, more, ended: isTerminal(entry.state.status), size: 0 })
      }),

    allEvents: ({ after, kind, ...query }) =>
      Effect.map(Page.limit("read events", { ...query, after }), (limit) => {
        const isOfKind = ({ event }: Logged) => entries.get(event.jobId)?.submitted.kind === kind
        const candidates = log.slice(after, after + limit)
        const page = candidates.slice(
          0,
          Page.fitting(candidates, (logged) => (isOfKind(logged) ? logged.bytes : 0))
        )
        return {
          events: page.filter(isOfKind).map(({ event }) => event),
          cursor: page.at(-1)?.event.cursor ?? after,
          more: page.length < candidates.length || candidates.length === limit,
          size: 0
        }
      }),

    latestCursor: Effect.sync(() => log.length),

    create: (run) =>
      write(() => {
        const { config, id, key, kind, labels } = run
        const conflicting = conflict(kind, key)
        if (conflicting) return conflicting
        const entry: Entry = {
          submitted: { ...run, config: toJson(config), labels: { ...labels } },
          events: [],
          state: RunTransition.initial(run)
        }
        entries.set(id, entry)
        return append(entry, [RunTransition.startedEvent(run)])
      }),

    record: (requested) =>
      write(() => {
        const change = RunTransition.truncateError(requested)
        const { attempt, jobId } = change
        const entry = entries.get(jobId)
        const to = entry && RunTransition.next(entry.state, change)
        if (entry === undefined || to === undefined) return new Superseded({ jobId, attempt })
        entry.state = snapshot(to)
        return append(entry, [RunTransition.changeEvent(change)])
      }),

    resume: (resumption) =>
      write((): Effect.Effect<void, JobConflict | Superseded> => {
        const { attempt, jobId, key } = resumption
        const entry = entries.get(jobId)
        const to = entry && RunTransition.nextAttempt(entry.state, resumption)
        if (entry === undefined || to === undefined) return new Superseded({ jobId, attempt })
        const conflicting = conflict(entry.submitted.kind, key)
        if (conflicting) return conflicting
        entry.state = to
        return append(entry, [RunTransition.resumedEvent(resumption)])
      }),

    append: ({ attempt, events, jobId }) =>
      write(() => {
        const entry = current(jobId, attempt)
        if (entry === undefined) return new Superseded({ jobId, attempt })
        entry.state = { ...entry.state, crashes: 0 }
        return append(entry, events)
      }),

    owners: { ...owners, acquire: Ownership.acquire(owners, undefined) },

    childProcesses: {
      open: ({ attempt, bootId, cookie, jobId, purpose }) =>
        Effect.sync(() => {
          processes.set(cookie, { cookie, jobId, attempt, bootId, purpose, pid: undefined, startTime: undefined })
        }),
      spawned: ({ cookie, pid, startTime }) =>
        Effect.sync(() => {
          const process = processes.get(cookie)
          if (process !== undefined) processes.set(cookie, { ...process, pid, startTime })
        }),
      close: ({ cookie }) => Effect.sync(() => void processes.delete(cookie)),
      unclosed: (jobId) => Effect.sync(() => [...processes.values()].filter((process) => process.jobId === jobId)),
      leftBy: (kind) =>
        Effect.sync(() => {
          const ids = new Set([...processes.values()].map(({ jobId }) => jobId))
          return sorted(({ submitted }) => submitted.kind === kind && ids.has(submitted.id)).map(
            ({ submitted }) => submitted.id
          )
        })
    },

    work
  }
})
