/**
 * What producers of this process write to the in-memory store.
 */
import { Effect, Option } from "effect"
import { JobEnded, JobNotFound, type Superseded, TooManySignals } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { Ask, NewStop, ProducerStore, Request } from "../port/ProducerStore.js"
import type { Change, Service } from "../port/RunStoreService.js"
import type { Entry } from "./RunReads.js"

export interface MemoryProducerStore extends ProducerStore {
  /** Removes a request; returns whether it was still there. */
  readonly remove: (seq: number) => boolean
  /** Records for the manager of a job that it is to be stopped. */
  readonly stop: (stop: Omit<NewStop, "at">) => Effect.Effect<void>
}

export const make = ({
  change,
  create,
  entries,
  notifier,
  write
}: {
  readonly entries: ReadonlyMap<JobId, Entry>
  readonly notifier: ChangeNotifier
  readonly create: Service["create"]
  readonly change: (entry: Entry, change: Change) => Effect.Effect<Change["type"], Superseded>
  readonly write: <A, E>(body: () => Effect.Effect<A, E>) => Effect.Effect<A, E>
}): MemoryProducerStore => {
  let requests: ReadonlyArray<Request> = []
  let latest = 0

  const entryOf = (kind: string, jobId: JobId) =>
    Option.filter(Option.fromNullable(entries.get(jobId)), ({ submitted }) => submitted.kind === kind)

  const push = (kind: string, jobId: JobId, ask: Option.Option.Value<Ask>) => {
    latest += 1
    requests = [...requests, { seq: latest, kind, jobId, asks: Option.some(ask) }]
    return notifier.committed(kind).wake
  }

  const stop = ({ grace, jobId, kind, sender }: Omit<NewStop, "at">) =>
    push(kind, jobId, { _tag: "Stop", grace, sender })

  const remove = (seq: number): boolean => {
    const { length } = requests
    requests = requests.filter((request) => request.seq !== seq)
    return requests.length < length
  }

  return {
    remove,
    stop,

    submit: (run) =>
      Effect.flatMap(create({ ...run, isQueued: true }), (created) =>
        Effect.as(
          Effect.forEach(
            created._tag === "Pending" ? created.replaces : [],
            (jobId) => stop({ kind: run.kind, jobId, grace: undefined }),
            { discard: true }
          ),
          created._tag === "Existing" ? created.id : run.id
        )
      ).pipe(
        // A run that waits is refused neither by a pause nor by its group.
        Effect.catchTags({ KindPaused: Effect.die, MaxJobsReached: Effect.die }),
        Effect.zipLeft(notifier.committed(run.kind).wake),
        Effect.uninterruptible
      ),

    requestSignal: ({ jobId, kind, limit, name, payload, sender }) =>
      write((): Effect.Effect<void, JobNotFound | JobEnded | TooManySignals> => {
        const entry = entryOf(kind, jobId)
        if (Option.isNone(entry)) return new JobNotFound({ jobId })
        const { attempt, status } = entry.value.state
        if (isTerminal(status)) return new JobEnded({ jobId, status })
        const recorded = entry.value.signals.filter((signal) => signal.attempt === attempt).length
        const waiting = requests.filter(
          (request) => request.jobId === jobId && Option.exists(request.asks, ({ _tag }) => _tag === "Signal")
        ).length
        if (recorded + waiting >= limit) return new TooManySignals({ jobId, limit })
        return push(kind, jobId, { _tag: "Signal", name, payload, sender })
      }),

    requestStop: (request) =>
      write((): Effect.Effect<void, JobNotFound> => {
        const { at, jobId, kind, sender } = request
        const entry = entryOf(kind, jobId)
        if (Option.isNone(entry)) return new JobNotFound({ jobId })
        const { attempt, status } = entry.value.state
        if (isTerminal(status)) return Effect.void
        const cancelled =
          status === "pending"
            ? Effect.orDie(change(entry.value, { type: "job.cancelled", jobId, attempt, at, sender }))
            : Effect.void
        return Effect.zipRight(cancelled, stop(request))
      }),

    requestResume: ({ jobId, kind, sender }) =>
      write((): Effect.Effect<void, JobNotFound> =>
        Option.isNone(entryOf(kind, jobId)) ? new JobNotFound({ jobId }) : push(kind, jobId, { _tag: "Resume", sender })
      ),

    requests: (kind) => Effect.sync(() => requests.filter((request) => request.kind === kind).slice(0, 1_000)),

    settle: ({ jobId, kind, seq }) =>
      Effect.suspend(() => {
        remove(seq)
        const waits = ["permit", "time"].map((waitsFor) => ({ kind, waitsFor }))
        return Effect.all([notifier.wakeWaiting(waits), notifier.wake([jobId]), notifier.committed(kind).wake], {
          discard: true
        })
      }),

    waiting: Effect.sync(() => {
      const runs = new Map<string, number>()
      for (const { state, submitted } of entries.values()) {
        if (state.status === "pending") runs.set(submitted.kind, (runs.get(submitted.kind) ?? 0) + 1)
      }
      return Array.from(runs, ([kind, runs]) => ({ kind, runs }))
    }),

    submitted: (kind) => Effect.sync(() => notifier.committed(kind)),
    rest: Effect.void,
    follow: Effect.void
  }
}
