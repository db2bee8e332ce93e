/**
 * The part of the in-memory store that reads runs and their events.
 */
import { DateTime, Effect, Option, Order, Schema } from "effect"
import { lifecycle } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { isReady, Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { parse } from "../../internal/Json.js"
import type * as MemoryEventLog from "./EventLog.js"
import type * as MemoryQueue from "./Queue.js"
import type * as MemoryTaskProgressStore from "./TaskProgressStore.js"
import * as Page from "../rules/Page.js"
import type { RunReads } from "../port/RunReads.js"
import { shown } from "../rules/recordedProgress.js"
import { isForStop } from "../rules/RunTransition.js"
import * as searchText from "../rules/searchText.js"

export interface Entry extends MemoryQueue.Entry {
  readonly events: Array<MemoryEventLog.Logged>
  /** In a cluster, the address on which the run was placed last, and the node that has taken its attempt. */
  node?: string | undefined
  runner?: string | undefined
}

export const runOf = (
  { progress, refused, retry, state, submitted }: Entry,
  {
    isFirstOfGroup,
    isHandled,
    isPaused,
    isPinned,
    retriedAs
  }: {
    readonly isFirstOfGroup: boolean
    readonly isHandled: boolean
    readonly isPaused: boolean
    readonly isPinned: boolean
    readonly retriedAs: JobId | undefined
  }
): Run =>
  new Run(
    {
      id: submitted.id,
      kind: submitted.kind,
      status: state.status,
      attempt: state.attempt,
      config: submitted.config,
      labels: submitted.labels,
      priority: submitted.priority ?? 0,
      createdAt: submitted.at,
      ...(state.group === undefined ? {} : { group: state.group }),
      ...(submitted.startAt === undefined ? {} : { startAt: submitted.startAt }),
      ...(state.tries === 0 ? {} : { tries: state.tries }),
      ...(state.waitsFor === undefined
        ? {}
        : {
            waitsFor:
              isPaused && isReady(state.waitsFor) && !isForStop(state)
                ? "paused"
                : isFirstOfGroup
                  ? "permit"
                  : state.waitsFor
          }),
      ...(state.parked === undefined ? {} : { parked: state.parked }),
      ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
      ...(state.endedAt === undefined ? {} : { endedAt: state.endedAt }),
      ...(retry === undefined ? {} : { retryOf: retry.of }),
      ...(retry?.chain === undefined ? {} : { chain: retry.chain }),
      ...(submitted.parent === undefined ? {} : { parent: submitted.parent }),
      ...(retriedAs === undefined ? {} : { retriedAs }),
      ...(isHandled ? { handled: true } : {}),
      ...shown(progress, state.tries),
      ...(isPinned ? { pinned: true } : {}),
      ...(refused === undefined ? {} : { refusedBy: refused.by, refusedAt: DateTime.unsafeMake(refused.at) }),
      ...(submitted.trace === undefined ? {} : { trace: submitted.trace }),
      ...(state.status === "completed" ? { result: state.result } : {}),
      ...(state.error === undefined ? {} : { error: state.error })
    },
    { disableValidation: true }
  )

const decodeSearched = Schema.decodeSync(searchText.Override)

const byId = Order.mapInput(Order.string, ({ submitted }: Entry) => submitted.id)

export const make = ({
  changes,
  entries,
  isHandled,
  isRetried,
  latestId,
  log,
  queue,
  toRun,
  work
}: Pick<RunReads, "changes"> & {
  readonly entries: ReadonlyMap<JobId, Entry>
  readonly toRun: (entry: Entry) => Run
  /** Whether another run retries a run. */
  readonly isRetried: (id: JobId) => boolean
  /** Whether the parent of a failed run handles the failure. */
  readonly isHandled: (entry: Entry) => boolean
  readonly queue: Pick<ReturnType<typeof MemoryQueue.make<Entry>>, "page">
  readonly work: Pick<ReturnType<typeof MemoryTaskProgressStore.make>, "of" | "titles">
  readonly log: ReturnType<typeof MemoryEventLog.make>
  readonly latestId: () => Option.Option<JobId>
}): RunReads => {
  /** Matching entries, sorted by id. */
  const sorted = (matches: (entry: Entry) => boolean) => [...entries.values()].filter(matches).sort(byId)

  const searched = ({ state, submitted }: Entry): searchText.Searched => ({
    ...(submitted.searched === undefined ? submitted : decodeSearched(submitted.searched)),
    error: state.error,
    titles: work.titles(submitted.id)
  })

  const page: RunReads["page"] = (query = {}) =>
    Effect.gen(function* () {
      const { before, handled, kind, labels = {}, limit: requested = 100, q = "", retried, status } = query
      const limit = yield* Page.limit("list runs", { before, limit: requested, q })
      const queueOf = yield* Page.queueOf(query)
      if (Option.isSome(queueOf)) {
        const { entries, more } = queue.page({ kind: queueOf.value, before, limit })
        const runs = entries.map(toRun)
        return { runs, next: Option.fromNullable(more ? runs.at(-1)?.id : undefined) }
      }
      const words = searchText.wanted(q)
      const found = sorted((entry) => {
        const { state, submitted } = entry
        return (
          (kind === undefined || submitted.kind === kind) &&
          (status === undefined || state.status === status) &&
          (before === undefined || submitted.id < before) &&
          (retried === undefined || isRetried(submitted.id) === retried) &&
          (handled === undefined || isHandled(entry) === handled) &&
          Object.entries(labels).every(([name, value]) => submitted.labels[name] === value) &&
          (words.length === 0 || searchText.matches(words, searched(entry)))
        )
      }).reverse()
      const runs = found.slice(0, limit).map(toRun)
      return { runs, next: Option.fromNullable(found.length > limit ? runs.at(-1)?.id : undefined) }
    })

  return {
    changes,

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

    lifecycle: (jobId) =>
      Effect.sync(() =>
        (entries.get(jobId)?.events ?? []).map(({ event }) => event).filter(({ type }) => type in lifecycle)
      ),

    allEvents: ({ after, kind, ...query }) =>
      Effect.map(Page.limit("read events", { ...query, after }), (limit) =>
        log.page(({ jobId }) => entries.get(jobId)?.submitted.kind === kind, after, limit)
      ),

    latestCursor: Effect.sync(log.latest),
    latestId: Effect.sync(latestId)
  }
}
