/**
 * The history of jobs, to read and to prune. Every `RunStore.layer*` provides it; only the manager writes anything else.
 *
 * @since 0.2.0
 */
import { Context, Effect, Option, Stream } from "effect"
import { JobNotFound, type StoreError } from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { PrunedRuns } from "../domain/Retention.js"
import type { PausedKind, Run } from "../domain/Run.js"
import type {
  AgentLimitStore,
  ChildProcessStore,
  ChildStore,
  ClusterStore,
  KindStore,
  QuestionStore,
  ScheduleStore,
  StepStore,
  SubscriberStore,
  TaskProgressStore
} from "./port/RunStoreService.js"
import type * as RunStoreService from "./port/RunStoreService.js"

/**
 * Read access to the history of jobs.
 *
 * @since 0.2.0
 * @category tags
 * @example
 * import { Runs, RunStore } from "charlotte"
 * import { Effect } from "effect"
 *
 * const lastFailures = Effect.flatMap(Runs.Runs, (runs) => runs.list({ status: "failed", limit: 10 }))
 *
 * assert.deepEqual(await Effect.runPromise(Effect.provide(lastFailures, RunStore.layerMemory)), [])
 */
export class Runs extends Context.Tag("charlotte/Runs")<Runs, Service>() {}

/**
 * The operations of `Runs`.
 *
 * @since 0.2.0
 * @category models
 */
export interface Service {
  /** The run with this id, of any kind. */
  readonly get: (id: JobId) => Effect.Effect<Option.Option<Run>, StoreError>

  /** A page of runs, newest first, and the `before` of the next page. */
  readonly page: (query?: RunStoreService.RunQuery) => Effect.Effect<Page, StoreError>

  /** The runs of `page`. */
  readonly list: (query?: RunStoreService.RunQuery) => Effect.Effect<ReadonlyArray<Run>, StoreError>

  /** The recorded events of a run in order, after the `seq` `after` (0 by default). It does not wait for further events. */
  readonly events: (
    id: JobId,
    options?: { readonly after?: number }
  ) => Stream.Stream<JobEvent, JobNotFound | StoreError>

  /** Keeps a run, regardless of the retention of its kind. */
  readonly pin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /** Undoes `pin`: the retention of its kind applies to the run again. */
  readonly unpin: (id: JobId) => Effect.Effect<void, JobNotFound | StoreError>

  /**
   * Prunes finished runs now, as the retention of their kinds says (`JobManager.Options`). Managers do so by themselves at
   * start-up, and then within 10 minutes. Kinds without a manager on this store are not pruned.
   */
  readonly prune: (options?: RunStoreService.PruneOptions) => Effect.Effect<ReadonlyArray<PrunedRuns>, StoreError>

  /** The kinds that are paused (`JobManager.pause`), sorted by name. */
  readonly paused: Effect.Effect<ReadonlyArray<PausedKind>, StoreError>

  /**
   * The operations of the HTTP API.
   *
   * @internal
   */
  readonly reads: Reads
}

/**
 * A page of runs.
 *
 * @since 0.2.0
 * @category models
 */
export interface Page {
  readonly runs: ReadonlyArray<Run>
  /**
   * Pass it as `before` for the next page; missing on the last page. A page before the last may be short or even empty: for
   * several labels, or with `retried`, a page scans at most 10,000 runs, and a search stops after about 0.1 s.
   */
  readonly next?: JobId
}

/**
 * The reads of a store, and the other operations that the HTTP API needs.
 *
 * @internal
 */
export type Reads = Pick<
  RunStoreService.Service,
  | "get"
  | "withWork"
  | "submission"
  | "keys"
  | "page"
  | "events"
  | "signals"
  | "allEvents"
  | "latestCursor"
  | "changes"
  | "now"
  | "outsideTransaction"
  | "pin"
  | "unpin"
  | "prune"
  | "prunings"
  | "pending"
  | "backlog"
  | "countByStatus"
> & {
  readonly work: Pick<TaskProgressStore, "of" | "counts" | "costs" | "unitNames">
  readonly agentLimits: Pick<AgentLimitStore, "get">
  readonly questions: Pick<QuestionStore, "of" | "open" | "answer">
  readonly steps: Pick<StepStore, "get" | "latest" | "list">
  readonly children: Pick<ChildStore, "list">
  readonly childProcesses: Pick<ChildProcessStore, "logs" | "spansMachines">
  readonly schedules: Pick<ScheduleStore, "list" | "pause" | "unpause" | "remove" | "served">
  readonly subscribers: Pick<SubscriberStore, "list" | "retry" | "remove">
  readonly cluster: Pick<ClusterStore, "nodes">
  readonly kinds: Pick<KindStore, "paused">
}

const pageSize = 256

/**
 * The part of a store that applications may use.
 *
 * @since 0.2.0
 * @category constructors
 */
export const make = (store: RunStoreService.Service): Service => ({
  get: store.get,
  reads: store,
  page: (query) =>
    Effect.map(store.page(query), ({ next, runs }) => ({
      runs,
      ...(Option.isSome(next) && { next: next.value })
    })),
  list: store.list,
  pin: store.pin,
  unpin: store.unpin,
  prune: store.prune,
  paused: store.kinds.paused,
  events: (jobId, { after = 0 } = {}) =>
    Stream.unwrap(
      Effect.map(store.get(jobId), (run) =>
        Option.isNone(run)
          ? Stream.fail(new JobNotFound({ jobId }))
          : Stream.paginateEffect(after, (after) =>
              Effect.flatMap(store.events({ kind: run.value.kind, jobId, after, limit: pageSize }), (page) => {
                if (Option.isNone(page)) return new JobNotFound({ jobId })
                const { events, more } = page.value
                const last = events.at(-1)
                const next = more && last !== undefined ? Option.some(last.seq) : Option.none()
                return Effect.succeed([events, next] as const)
              })
            ).pipe(Stream.flattenIterables)
      )
    )
})
