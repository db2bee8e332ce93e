/**
 * Retention of the in-memory store. Regardless of the rules it keeps the last 1,000 finished runs, besides the pinned ones.
 */
import { DateTime, Effect, Order } from "effect"
import { JobNotFound } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { now } from "../../internal/now.js"
import type { Entry } from "./Queue.js"
import * as Pruning from "../rules/Pruning.js"
import type { FinishedRun, Span } from "../port/RetentionStore.js"
import type { Service } from "../port/RunStoreService.js"

const maxFinished = 1_000

type Ended = Omit<FinishedRun, "earlier">

const inOrder = Order.combine(
  Order.mapInput(DateTime.Order, ({ endedAt }: Ended) => endedAt),
  Order.mapInput(Order.string, ({ id }: Ended) => id)
)

const isIn = ({ after, status, until }: Span, run: Ended): boolean =>
  run.status === status &&
  (until === undefined || DateTime.lessThanOrEqualTo(run.endedAt, until)) &&
  (after === undefined ||
    DateTime.greaterThan(run.endedAt, after.endedAt) ||
    (DateTime.Equivalence(run.endedAt, after.endedAt) && run.id > after.id))

export const make = <E extends Entry>({
  entries,
  hasProcesses,
  isHeld,
  onHidden,
  retries
}: {
  readonly entries: Map<JobId, E>
  /** The runs that retry others, by the runs that they retry. */
  readonly retries: ReadonlyMap<JobId, JobId>
  /** Whether child processes of a job may be alive. */
  readonly hasProcesses: (id: JobId) => boolean
  /** Whether a subscriber still waits for a run that has ended, or for an earlier run of its chain. */
  readonly isHeld: (
    entry: E,
    run: { readonly chain: ReadonlyArray<JobId>; readonly endedAt: DateTime.Utc; readonly at: DateTime.Utc }
  ) => boolean
  readonly onHidden: (entry: E) => void
}) =>
  Effect.gen(function* () {
    /** The runs that may be pruned, in the order in which they ended. */
    let finished: ReadonlyArray<Ended> = []
    let dropped = 0
    const pinned = new Set<JobId>()
    const hidden = new Map<JobId, string>()

    const kindOf = (id: JobId) => entries.get(id)?.submitted.kind

    const add = ({ state: { endedAt, status }, submitted: { id } }: E) => {
      if (endedAt === undefined || pinned.has(id)) return
      if (status !== "completed" && status !== "failed" && status !== "cancelled") return
      const last = finished.at(-1)
      const run = { id, status, endedAt }
      finished = [...finished, run]
      if (last !== undefined && inOrder(last, run) > 0) finished = [...finished].sort(inOrder)
    }

    /** The earlier runs of the chain of a run. */
    const earlierOf = (id: JobId): ReadonlyArray<JobId> => {
      const retry = entries.get(id)?.retry
      return retry?.chain === undefined ? [] : [...earlierOf(retry.of), retry.of]
    }

    /** Whether a run is the last of its chain, and the chain can be pruned. */
    const isLast = (id: JobId): boolean => {
      const next = retries.get(id)
      const isRetried = next !== undefined && entries.get(next)?.retry?.chain !== undefined
      return !isRetried && [...earlierOf(id), id].every((id) => !pinned.has(id) && !hasProcesses(id))
    }

    const isWaitedFor = ({ endedAt, id }: Ended, at: DateTime.Utc): boolean => {
      const entry = entries.get(id)
      const parent = entry?.submitted.parent === undefined ? undefined : entries.get(entry.submitted.parent)
      // Its parent may still read how it has ended.
      if (parent !== undefined && !isTerminal(parent.state.status)) return true
      return entry !== undefined && isHeld(entry, { chain: [...earlierOf(id), id], endedAt, at })
    }

    const hide = (ids: ReadonlyArray<JobId>): ReadonlyArray<JobId> => {
      const last = finished.filter(({ id }) => ids.includes(id) && isLast(id))
      const going = new Set(last.flatMap(({ id }) => [...earlierOf(id), id]))
      finished = finished.filter(({ id }) => !going.has(id))
      for (const id of going) {
        const entry = entries.get(id)
        if (entry === undefined) continue
        hidden.set(id, entry.submitted.kind)
        entries.delete(id)
        onHidden(entry)
      }
      return [...going]
    }

    const pruning = yield* Pruning.make({
      now,
      finished: ({ at, kind, limit, spans }) =>
        Effect.sync(() =>
          finished
            .filter(
              (run) =>
                kindOf(run.id) === kind &&
                spans.some((span) => isIn(span, run)) &&
                isLast(run.id) &&
                !isWaitedFor(run, at)
            )
            .slice(0, limit)
            .map((run) => ({ ...run, earlier: earlierOf(run.id) }))
        ),
      count: (kind) => Effect.sync(() => finished.filter(({ id }) => kindOf(id) === kind).length),
      hide: (ids) => Effect.sync(() => hide(ids)),
      hidden: ({ after = "", kind, limit }) =>
        Effect.sync(() =>
          [...hidden]
            .flatMap(([id, of]) => (of === kind && id > after ? [id] : []))
            .sort()
            .slice(0, limit)
        ),
      remove: (ids) =>
        Effect.sync(() => {
          for (const id of ids) hidden.delete(id)
          return ids
        })
    })

    const pinning = (id: JobId, change: (entry: E) => void): Effect.Effect<void, JobNotFound> =>
      Effect.suspend(() => {
        const entry = entries.get(id)
        return entry === undefined ? new JobNotFound({ jobId: id }) : Effect.sync(() => change(entry))
      })

    const retention: Pick<Service, "pin" | "unpin" | "retain" | "prune" | "prunings" | "nextExpiry"> = {
      pin: (id) =>
        pinning(id, () => {
          pinned.add(id)
          finished = finished.filter((run) => run.id !== id)
        }),
      unpin: (id) =>
        pinning(id, (entry) => {
          if (pinned.delete(id)) add(entry)
        }),
      ...pruning,
      prunings: Effect.map(pruning.prunings, (prunings) => prunings + dropped)
    }

    return {
      retention,
      isPinned: (id: JobId) => pinned.has(id),
      /** Records that a run has ended. */
      ended: (entry: E): void => {
        const { endedAt, status } = entry.state
        if (!isTerminal(status) || endedAt === undefined) return
        add(entry)
        if (finished.length <= maxFinished) return
        const oldest = finished.find((run) => isLast(run.id) && !isWaitedFor(run, endedAt))
        if (oldest === undefined) return
        for (const id of hide([oldest.id])) hidden.delete(id)
        dropped += 1
      }
    }
  })
