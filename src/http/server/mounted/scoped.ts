/**
 * The jobs of managers that have some labels. For a person who is limited to these, a job without them does not exist.
 */
import { Chunk, Effect, Option, Stream } from "effect"
import { JobNotFound, NotResumable, NotRetryable, type StoreError } from "../../../domain/errors.js"
import type { JobEvent } from "../../../domain/JobEvent.js"
import { JobId } from "../../../domain/JobId.js"
import type { Run } from "../../../domain/Run.js"
import type { RunQuery } from "../../../store/port/RunStoreService.js"
import type * as Runs from "../../../store/Runs.js"
import { lookups, type Managed, type Service as Managers } from "../Managers.js"
import type { Acting } from "./acting.js"

type Labels = { readonly [name: string]: string }

/** How many jobs a stream of events remembers. */
const mostKnown = 10_000

const keyIsHeld = "another job holds its key"

const ids = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g

/** The labels to look for; none if no run can have both. */
const both = (own: Labels, wanted: Labels = {}): Option.Option<Labels> =>
  Object.entries(wanted).every(([name, value]) => !Object.hasOwn(own, name) || own[name] === value)
    ? Option.some({ ...wanted, ...own })
    : Option.none()

const reads = (store: Runs.Reads, labels: Labels): Runs.Reads => {
  const isOurs = ({ labels: of }: Run): boolean =>
    Object.entries(labels).every(([name, value]) => Object.hasOwn(of, name) && of[name] === value)
  const get = (id: JobId) => Effect.map(store.get(id), Option.filter(isOurs))
  const exists = (id: JobId) => Effect.map(get(id), Option.isSome)

  const page = (query: RunQuery): ReturnType<Runs.Reads["page"]> =>
    Effect.flatMap(store.page(query), ({ next, runs: found }) => {
      const runs = found.filter(isOurs)
      const last = runs.at(-1)
      if (Option.isNone(next)) return Effect.succeed({ runs, next })
      // The next page begins after a run of this one: the id of another run would disclose it.
      return last === undefined
        ? page({ ...query, before: next.value })
        : Effect.succeed({ runs, next: Option.some(last.id) })
    })

  return {
    ...store,
    get,
    withWork: (id) =>
      Effect.map(
        store.withWork(id),
        Option.filter(({ run }) => isOurs(run))
      ),
    // The holder of a key may be a job that does not exist here.
    keys: (id) =>
      Effect.flatMap(
        store.keys(id),
        Effect.filter(({ holder }) => exists(holder.id))
      ),
    page: (query = {}) =>
      Option.match(both(labels, query.labels), {
        onNone: () => Effect.succeed({ runs: [], next: Option.none() }),
        // The order of the queue allows no labels.
        onSome: (wanted) => page(query.order === undefined ? { ...query, labels: wanted } : query)
      }),
    events: (query) =>
      Effect.if(exists(query.jobId), { onTrue: () => store.events(query), onFalse: () => Effect.succeedNone })
  }
}

/** Drops the events of other jobs. A stream remembers which jobs exist, since their labels never change. */
const eventsOf =
  (store: Runs.Reads) =>
  (events: Stream.Stream<JobEvent, StoreError>): Stream.Stream<JobEvent, StoreError> =>
    Stream.suspend(() => {
      const known = new Map<JobId, boolean>()
      const exists = ({ jobId }: JobEvent) => {
        const is = known.get(jobId)
        if (is !== undefined) return Effect.succeed(is)
        return Effect.map(store.get(jobId), (run) => {
          if (known.size >= mostKnown) known.clear()
          known.set(jobId, Option.isSome(run))
          return Option.isSome(run)
        })
      }
      return Stream.mapChunksEffect(events, (chunk) => Effect.map(Effect.filter(chunk, exists), Chunk.unsafeFromArray))
    })

export const make = (base: Managers<Acting>, labels: Labels): Managers<Acting> => {
  const store = reads(base.store, labels)
  const get = (jobId: JobId) =>
    Effect.flatMap(store.get(jobId), Option.match({ onNone: () => new JobNotFound({ jobId }), onSome: Effect.succeed }))
  const areOurs = (ids: ReadonlyArray<string>) =>
    Effect.every(ids, (id) => Effect.map(store.get(JobId.make(id)), Option.isSome))

  const within = ({ kind, manager }: Managed<Acting>): Managed<Acting> => ({
    kind,
    manager: {
      ...manager,
      // The job that holds the key may not exist here.
      resume: (id, options) =>
        Effect.catchTag(manager.resume(id, options), "JobConflict", () =>
          Effect.flatMap(get(id), ({ status }) => new NotResumable({ jobId: id, status, reason: keyIsHeld }))
        ),
      retry: (id, options) =>
        Effect.catchTag(manager.retry(id, options), "JobConflict", () =>
          Effect.flatMap(get(id), ({ status }) => new NotRetryable({ jobId: id, status, reason: keyIsHeld }))
        ),
      retryMany: ({ labels: wanted, ...query }) =>
        Option.match(both(labels, wanted), {
          onNone: () => Stream.empty,
          onSome: (labels) =>
            manager.retryMany({ ...query, labels }).pipe(
              // As with a page, only one of these jobs may be the last one.
              Stream.filterEffect(({ last }) => areOurs([last])),
              Stream.mapEffect(({ problem = "", ...progress }) =>
                Effect.map(areOurs(problem.match(ids) ?? []), (areOurs) => ({
                  ...progress,
                  ...(problem !== "" && { problem: areOurs ? problem : keyIsHeld })
                }))
              )
            )
        })
    }
  })

  const found = lookups(store, base.all.map(within))
  return {
    ...base,
    ...found,
    ofJob: found.ofRecorded,
    events: (managers) => (after) => eventsOf(store)(base.events(managers)(after))
  }
}
