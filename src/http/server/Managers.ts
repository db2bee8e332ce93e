/**
 * The managers whose jobs a server serves: `JobManager`, or one for each of several kinds.
 */
import { Context, Duration, Effect, Layer, Option, Order } from "effect"
import { JobNotFound, type StoreError } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import * as EventSubscriptions from "../../manager/internal/EventSubscriptions.js"
import { type Health, JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import * as Runs from "../../store/Runs.js"
import { NoSuchKind } from "../contract/errors.js"
import type { AnyKind, AnyManager } from "../contract/Kinds.js"

export class Managers extends Context.Tag("charlotte/http/Managers")<Managers, Service>() {}

export interface Managed<out M = AnyManager> {
  readonly kind: string
  readonly manager: M
}

/** `M`: the operations that there are on the jobs of each kind. */
export interface Service<in out M = AnyManager> {
  readonly store: Runs.Reads
  readonly all: ReadonlyArray<Managed<M>>
  /** The manager of jobs with a `JobConfig`, if its kind is served. */
  readonly jobManager: Option.Option<{ readonly kind: string; readonly manager: JobManager["Type"] }>
  /** The managers of a kind; all of them if none is named. */
  readonly ofKind: (kind: string | undefined) => Effect.Effect<ReadonlyArray<Managed<M>>, NoSuchKind>
  /** The manager of a job; with a single manager, it decides itself whether the job exists. */
  readonly ofJob: (id: JobId) => Effect.Effect<Managed<M>, JobNotFound | StoreError>
  /** As `ofJob`, but fails if the job does not exist. */
  readonly ofRecorded: (id: JobId) => Effect.Effect<Managed<M>, JobNotFound | StoreError>
  /** The events of all jobs of these managers, in the order of their cursors. */
  readonly events: (
    managers: ReadonlyArray<Managed<M>>
  ) => (after: number | "latest") => ReturnType<JobManager["Type"]["allEvents"]>
}

/** How long the oldest write of any manager waits; undefined if none waits for a second. */
export const oldestWriteSeconds = (health: ReadonlyArray<Health>): number | undefined => {
  const ages = health.flatMap(({ oldestWrite }) => (oldestWrite === undefined ? [] : [Duration.toSeconds(oldestWrite)]))
  return ages.length === 0 ? undefined : Math.round(Math.max(...ages))
}

/** Finds managers by their kinds, and by the jobs that a store has. */
export const lookups = <M>(store: Runs.Reads, all: ReadonlyArray<Managed<M>>) => ({
  store,
  all,
  ofKind: (kind: string | undefined) => {
    const found = all.filter((managed) => kind === undefined || managed.kind === kind)
    return kind === undefined || found.length > 0
      ? Effect.succeed(found)
      : new NoSuchKind({ kind, kinds: all.map(({ kind }) => kind) })
  },
  ofRecorded: (id: JobId) =>
    Effect.flatMap(store.get(id), (run) => {
      const kind = Option.getOrUndefined(run)?.kind
      const managed = all.find((managed) => managed.kind === kind)
      return managed === undefined ? new JobNotFound({ jobId: id }) : Effect.succeed(managed)
    })
})

export const make = <M extends Pick<AnyManager, "allEvents">>(
  store: Runs.Reads,
  all: ReadonlyArray<Managed<M>>,
  jobManager: Service["jobManager"] = Option.none()
): Effect.Effect<Service<M>> =>
  Effect.map(
    EventSubscriptions.make({ kind: "", store: withEventsOf(store, all), shutdown: neverOver }),
    (subscriptions): Service<M> => {
      const [first, ...others] = all
      const found = lookups(store, all)
      return {
        ...found,
        jobManager,
        // A single manager looks up its jobs itself.
        ofJob: first !== undefined && others.length === 0 ? () => Effect.succeed(first) : found.ofRecorded,
        events: (managers) => {
          const [first, ...others] = managers
          return first !== undefined && others.length === 0
            ? (after) => first.manager.allEvents({ after })
            : (after) => subscriptions.ofAll(after)
        }
      }
    }
  )

/** Streams over several managers end with the server. */
export const neverOver = {
  isOver: Effect.succeed(false),
  orOver: (effect: Effect.Effect<void>) => effect,
  stream: Effect.void
}

/** Pages of events of several kinds, in order, up to the cursor that the pages of all kinds have reached. */
const withEventsOf = (store: Runs.Reads, managers: ReadonlyArray<Managed<unknown>>): Runs.Reads => ({
  ...store,
  allEvents: (query) =>
    Effect.map(
      Effect.forEach(managers, ({ kind }) => store.allEvents({ ...query, kind })),
      (pages) => {
        const cursor = Math.min(...pages.map(({ cursor }) => cursor))
        const events = pages.flatMap(({ events }) => events).filter((event) => event.cursor <= cursor)
        return {
          events: events.sort(byCursor),
          cursor,
          more: pages.some((page) => page.more || page.cursor > cursor),
          size: pages.reduce((sum, { size }) => sum + size, 0)
        }
      }
    )
})

const byCursor = Order.mapInput(Order.number, ({ cursor }: JobEvent) => cursor)

/** The manager of jobs with a `JobConfig`, under any name of the kind. */
export const ofJobManager = (kind: string): Layer.Layer<Managers, never, JobManager | RunStore> =>
  Layer.effect(
    Managers,
    Effect.flatMap(Effect.all([JobManager, RunStore]), ([manager, store]) =>
      make<AnyManager>(store, [{ kind, manager }], Option.some({ kind, manager }))
    )
  )

/** The managers of the kinds of an API. */
export const ofKinds = <K extends AnyKind>(
  kinds: ReadonlyArray<K>
): Layer.Layer<Managers, never, Effect.Effect.Context<K> | Runs.Runs> => {
  const loaded = Effect.gen(function* () {
    const { reads } = yield* Runs.Runs
    const all = yield* Effect.forEach(kinds, (tag: AnyKind) =>
      Effect.map(tag, (manager): Managed => ({ kind: tag.kind, manager }))
    )
    const jobManager = Option.filter(yield* Effect.serviceOption(JobManager), () =>
      all.some(({ kind }) => kind === JobManager.kind)
    )
    return yield* make(
      reads,
      all,
      Option.map(jobManager, (manager) => ({ kind: JobManager.kind, manager }))
    )
  })
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: each tag needs the manager of its kind
  return Layer.effect(Managers, loaded as Effect.Effect<Service, never, Effect.Effect.Context<K> | Runs.Runs>)
}
