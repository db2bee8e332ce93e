/**
 * Prunes finished runs by the rules of their kinds, and deletes removed ones, on both databases. A run is hidden first, then the data
 * that the orchestrator keeps of it is removed, then its rows are deleted in slices: readers see all of it or nothing, and the next
 * pruning completes what a crash has interrupted.
 */
import { Array, DateTime, Deferred, Duration, Effect, Exit, FiberId, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { PrunedRuns, Retention } from "../../domain/Retention.js"
import * as Permits from "../../internal/Permits.js"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import {
  type FinalStatus,
  type FinishedRun,
  type RetentionStore,
  type Rule,
  type Service,
  type Span,
  afterAllIds
} from "../port/RunStoreService.js"

export type Pruning = Pick<Service, "retain" | "prune" | "nextExpiry" | "deleteHidden" | "hasHidden">

/** How many runs are hidden at once; readers have to skip them until they are deleted. */
const batchSize = 200

/** Runs per page of a dry run, and the maximum number of runs that a result names. */
const pageSize = 1_000

const concurrency = 8

const statuses: ReadonlyArray<FinalStatus> = ["completed", "failed", "cancelled"]

/** The finished runs of all statuses. */
export const ofAnyStatus: ReadonlyArray<Span> = statuses.map((status) => ({ status }))

/** The statuses whose runs expire, each with the age at which they do. */
export const ages = ({ completed, failed, cancelled = failed }: Retention) =>
  statuses.flatMap((status) => {
    const input = { completed, failed, cancelled }[status]
    const age = Duration.decode(input ?? Duration.infinity)
    return Duration.isFinite(age) ? [{ status, age }] : []
  })

/** The runs that are too old at that time. */
const expired = (retention: Retention, at: DateTime.Utc): ReadonlyArray<Span> =>
  ages(retention).map(({ age, status }) => ({ status, until: DateTime.subtractDuration(at, age) }))

/** The remainder of the spans after these runs. */
const after = (spans: ReadonlyArray<Span>, runs: ReadonlyArray<FinishedRun>): ReadonlyArray<Span> =>
  spans.map((span) => ({ ...span, after: runs.findLast(({ status }) => status === span.status) ?? span.after }))

/** The runs that go with these: the earlier runs of their chains, too. */
const withEarlier = (runs: ReadonlyArray<FinishedRun>): ReadonlyArray<JobId> =>
  runs.flatMap(({ earlier, id }) => [...earlier, id])

/** The first of these runs, so many that at most one chain exceeds the number. */
export const atMost = (runs: ReadonlyArray<FinishedRun>, most: number): ReadonlyArray<FinishedRun> => {
  let sum = 0
  return runs.filter(({ earlier }) => {
    const fits = sum < most
    sum += 1 + earlier.length
    return fits
  })
}

/** Counts runs, and keeps the first of them. */
const makeFound = (kind: string) => {
  let runs = 0
  let jobs: ReadonlyArray<JobId> = []
  return {
    add: (ids: ReadonlyArray<JobId>) => {
      runs += ids.length
      jobs = [...jobs, ...ids.slice(0, Math.max(0, pageSize - jobs.length))]
    },
    result: (): PrunedRuns => ({ kind, runs, jobs })
  }
}

type Found = ReturnType<typeof makeFound>

export const make = (store: RetentionStore): Effect.Effect<Pruning> =>
  Effect.gen(function* () {
    const { sleep, now: realNow } = yield* RealClock
    const rules = new Map<string, Rule>()
    const inTurn = Permits.make(1)
    /** The runs that are being deleted, each with the end of it, so that a pruning leaves those of a removal alone. */
    const going = new Map<JobId, Deferred.Deferred<void>>()

    /** Takes those of the runs that nothing deletes yet, and says which deletions to wait for. */
    const take = (hidden: ReadonlyArray<JobId>) =>
      Effect.sync(() => {
        const others = hidden.flatMap((id) => going.get(id) ?? [])
        const ids = hidden.filter((id) => !going.has(id))
        const done = Deferred.unsafeMake<void>(FiberId.none)
        for (const id of ids) going.set(id, done)
        return { ids, done, others }
      })

    /** Deletes the rows of hidden runs. A run whose data outside the store cannot be removed stays hidden. */
    const remove = (rule: Pick<Rule, "forget">, hidden: ReadonlyArray<JobId>) =>
      Effect.flatMap(
        Effect.acquireUseRelease(
          take(hidden),
          ({ ids, others }) => Effect.as(removeRows(rule, ids), others),
          ({ done, ids }) => {
            for (const id of ids) going.delete(id)
            return Deferred.succeed(done, undefined)
          }
        ),
        Effect.forEach((other) => Deferred.await(other), { discard: true })
      )

    const removeRows = ({ forget }: Pick<Rule, "forget">, ids: ReadonlyArray<JobId>) =>
      Effect.gen(function* () {
        const forgotten: Array<JobId> = []
        const removed = new Set(yield* store.removed(ids))
        yield* race.forEach(ids, concurrency, (id) => {
          const why = removed.has(id) ? "removed" : "pruned"
          return Effect.flatMap(Effect.exit(forget(id, why)), (exit) =>
            Exit.isSuccess(exit)
              ? Effect.sync(() => void forgotten.push(id))
              : Effect.logWarning(`what is kept of the ${why} job ${id} cannot be removed yet`, exit.cause)
          )
        })
        for (let left: ReadonlyArray<JobId> = forgotten; left.length > 0;) {
          const began = yield* realNow
          const deleted = new Set(yield* store.remove(left))
          left = left.filter((id) => !deleted.has(id))
          // The pause leaves half of the time to others.
          if (left.length > 0) yield* sleep((yield* realNow) - began)
        }
      })

    /** Hides and removes runs, batch by batch, until `next` has none, and adds them to `found`. */
    const pruneBatches = (rule: Rule, found: Found, next: Effect.Effect<ReadonlyArray<FinishedRun>, StoreError>) =>
      Effect.gen(function* () {
        for (;;) {
          const runs = yield* next
          if (runs.length === 0) return
          const ids = runs.map(({ id }) => id)
          const hidden = yield* store.hide(ids)
          // All of the runs were pinned meanwhile.
          if (hidden.length === 0) return
          found.add(withEarlier(runs).filter((id) => hidden.includes(id)))
          yield* remove(rule, hidden)
        }
      })

    const removeHidden = (rule: Rule) =>
      Effect.gen(function* () {
        for (let last: JobId | undefined; ;) {
          const ids = yield* store.hidden({ kind: rule.kind, after: last, limit: batchSize })
          if (ids.length === 0) return
          yield* remove(rule, ids)
          last = ids.at(-1)
        }
      })

    const prune = (rule: Rule) =>
      Effect.gen(function* () {
        const { kind, retention } = rule
        const found = makeFound(kind)
        yield* removeHidden(rule)
        const at = yield* store.now
        const spans = expired(retention, at)
        yield* pruneBatches(rule, found, store.finished({ kind, at, spans, limit: batchSize }))
        const { maxRuns } = retention
        if (maxRuns !== undefined) {
          const oldest = Effect.flatMap(store.count(kind), (count) =>
            count <= maxRuns
              ? Effect.succeed([])
              : Effect.map(
                  store.finished({
                    kind,
                    at,
                    spans: ofAnyStatus,
                    limit: Math.min(batchSize, count - maxRuns)
                  }),
                  (runs) => atMost(runs, count - maxRuns)
                )
          )
          yield* pruneBatches(rule, found, oldest)
        }
        return found.result()
      })

    /** The runs that `prune` would remove, in the same order. */
    const plan = ({ kind, retention }: Rule) =>
      Effect.gen(function* () {
        const found = makeFound(kind)
        const at = yield* store.now
        const take = (spans: ReadonlyArray<Span>, most: number) =>
          Effect.gen(function* () {
            let rest = spans
            for (let left = most; left > 0;) {
              const finished = yield* store.finished({ kind, at, spans: rest, limit: Math.min(pageSize, left) })
              if (finished.length === 0) return
              const runs = atMost(finished, left)
              const ids = withEarlier(runs)
              found.add(ids)
              left -= ids.length
              rest = after(rest, runs)
            }
          })
        const spans = expired(retention, at)
        yield* take(spans, Infinity)
        const { maxRuns } = retention
        if (maxRuns !== undefined) {
          const excess = (yield* store.count(kind)) - found.result().runs - maxRuns
          const others = statuses.map((status) => {
            const until = spans.find((span) => span.status === status)?.until
            return { status, after: until && { endedAt: until, id: afterAllIds } }
          })
          yield* take(others, excess)
        }
        return found.result()
      })

    const nextExpiry = ({ kind, retention }: Rule) =>
      Effect.gen(function* () {
        const hidden = yield* store.hidden({ kind, after: undefined, limit: 1 })
        // The data outside the store could not be removed.
        if (hidden.length > 0) return Option.some(yield* store.now)
        const at = yield* store.now
        const oldest = yield* Effect.forEach(ages(retention), ({ age, status }) =>
          Effect.map(store.finished({ kind, at, spans: [{ status }], limit: 1 }), (runs) =>
            runs.map(({ endedAt }) => DateTime.addDuration(endedAt, age))
          )
        )
        return Option.fromNullable(Array.sort(oldest.flat(), DateTime.Order)[0])
      })

    return {
      deleteHidden: remove,

      hasHidden: (kind) =>
        Effect.map(store.hidden({ kind, after: undefined, limit: 1 }), (hidden) => hidden.length > 0),

      nextExpiry: (kind) =>
        Effect.suspend(() => {
          const rule = rules.get(kind)
          return rule === undefined ? Effect.succeedNone : nextExpiry(rule)
        }),

      retain: (rule) => {
        const { maxRuns = 0 } = rule.retention
        if (!Number.isSafeInteger(maxRuns) || maxRuns < 0) {
          return Effect.dieMessage(`maxRuns is a whole number, 0 or more, not ${maxRuns}`)
        }
        return Effect.acquireRelease(
          Effect.sync(() => void rules.set(rule.kind, rule)),
          () => Effect.sync(() => void (rules.get(rule.kind) === rule && rules.delete(rule.kind)))
        )
      },

      prune: ({ dryRun = false, kind } = {}) =>
        Effect.suspend(() => {
          const chosen = [...rules.values()].filter((rule) => kind === undefined || rule.kind === kind)
          const all = Effect.forEach(chosen, dryRun ? plan : prune)
          return Effect.map(dryRun ? all : inTurn(all), (pruned) => pruned.filter(({ runs }) => runs > 0))
        })
    }
  })
