/**
 * Begins the runs that wait for a permit, in order, as permits become free. Waiting runs are not held in memory: the next one is
 * read from the store, which notifies when there may be one. One sleep, until the earliest due time, serves all due times.
 */
import { DateTime, Duration, Effect, Option, Ref } from "effect"
import { type BeginError, MaxJobsReached, type StoreError } from "../../domain/errors.js"
import type { Run } from "../../domain/Run.js"
import { afterJump } from "../../internal/afterJump.js"
import * as race from "../../internal/race.js"
import type { Notifier } from "../../store/port/ChangeNotifier.js"
import type { Service, UnfinishedRun } from "../../store/port/RunStoreService.js"
import type { Core } from "./Core.js"
import * as JobRegistry from "./JobRegistry.js"
import { record, tooManyCrashes } from "./recovery.js"
import { survivingFailures } from "./survivingFailures.js"

export type Begin = (run: Run) => Effect.Effect<void, BeginError>

export interface Dispatcher {
  /** Begins runs for as long as the manager lives. */
  readonly run: Effect.Effect<void>
  /** Makes runs due when their time has come, for as long as the manager lives. */
  readonly keepTime: Effect.Effect<void>
  /** Runs an effect during which no waiting run begins. */
  readonly pausedDuring: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * Why a new run may not begin: due runs begin before it, as many as permits are free. With none due it is decided from memory, so
   * that a start needs no read.
   */
  readonly refusal: Effect.Effect<Option.Option<MaxJobsReached>, StoreError>
}

export const make = <Config>(
  core: Core<Config>,
  begin: Begin,
  /** The statuses of the runs that the dispatcher begins. */
  statuses: Parameters<Service["due"]>[0]["statuses"]
): Effect.Effect<Dispatcher, StoreError> =>
  Effect.gen(function* () {
    const { kind, store } = core
    const latch = yield* Effect.makeLatch(true)
    const pauses = yield* Ref.make(0)
    const waiting = yield* store.waiting(kind)

    /** The version of the store at which no run was due. */
    const noneDueAt = yield* Ref.make(Option.none<number>())
    const next = Effect.gen(function* () {
      const version = yield* waiting.due.version
      const [first] = yield* store.due({ kind, statuses, limit: 1 })
      yield* Ref.set(noneDueAt, first === undefined ? Option.some(version) : Option.none())
      return Option.fromNullable(first)
    })
    yield* next

    const run = Effect.forever(
      Effect.gen(function* () {
        const none = yield* Ref.get(noneDueAt)
        if (Option.isSome(none)) yield* waiting.due.changed(none.value)
        yield* latch.await
        const first = yield* next
        if (Option.isSome(first)) yield* beginRun(core, begin, first.value)
      }).pipe(survivingFailures("runs that wait could not be started yet"))
    )

    /** The earliest time that a run waits for, as of a version of the store. */
    const earliest = Effect.gen(function* () {
      const version = yield* waiting.times.version
      return { version, due: Option.map(yield* store.nextDueAt(kind), DateTime.toEpochMillis) }
    })
    const known = yield* Ref.make(yield* earliest)
    const keepTime = Effect.forever(
      Ref.get(known).pipe(
        Effect.flatMap((known) => untilDue(core, waiting.times, known)),
        Effect.zipRight(Effect.flatMap(earliest, (earliest) => Ref.set(known, earliest))),
        survivingFailures("due times could not be read yet")
      )
    )

    const countDue = Effect.gen(function* () {
      const maxJobs = yield* Ref.get(core.maxJobs)
      // The permits are read first: a run that begins meanwhile is then counted in neither read, and none is counted twice.
      const { beginning, held } = yield* JobRegistry.permits(core.jobs, statuses)
      const due = yield* store.countDue({ kind, statuses, limit: maxJobs })
      return due > 0 && due - beginning >= maxJobs - held
        ? Option.some(new MaxJobsReached({ maxJobs, reason: held < maxJobs ? "queue" : "permits" }))
        : Option.none()
    })

    return {
      run,
      keepTime,
      refusal: Effect.flatMap(waiting.due.version, (version) =>
        Effect.flatMap(Ref.get(noneDueAt), (none) => (Option.contains(none, version) ? Effect.succeedNone : countDue))
      ),
      pausedDuring: (effect) =>
        Effect.acquireUseRelease(
          Effect.zipRight(
            Ref.update(pauses, (n) => n + 1),
            latch.close
          ),
          () => effect,
          () =>
            Effect.flatMap(
              Ref.updateAndGet(pauses, (n) => n - 1),
              (n) => (n === 0 ? latch.open : Effect.void)
            )
        )
    }
  })

/** Returns when the run has begun, no longer waits, or a permit may be free for it. */
const beginRun = <Config>(
  core: Core<Config>,
  begin: Begin,
  { crashes, run }: UnfinishedRun
): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    // The previous manager may have died between recording the crash and recording the failure.
    const error = yield* tooManyCrashes(core.store, { crashes, run })
    if (error !== undefined) return yield* record(core.store, run, { type: "job.failed", error })
    const free = yield* core.permitFreed.version
    yield* begin(run).pipe(
      Effect.catchTags({
        // Its group has become full meanwhile; another run may be due.
        MaxJobsReached: ({ reason }) => (reason === "group" ? Effect.void : core.permitFreed.changed(free)),
        // No run is due any more.
        KindPaused: () => Effect.void,
        // The run was begun or cancelled meanwhile, or has just failed.
        JobNotFound: () => Effect.void,
        NotResumable: () => Effect.void,
        ShuttingDown: () => Effect.never
      })
    )
  }).pipe(Effect.annotateLogs({ jobId: run.id }))

/** Waits for the earliest time and makes its runs due; returns sooner if another time may be the earliest. */
const untilDue = <Config>(
  { kind, store }: Core<Config>,
  changes: Notifier,
  { due, version }: { readonly due: Option.Option<number>; readonly version: number }
): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    if (Option.isNone(due)) return yield* changes.changed(version)
    const left = Duration.millis(Math.max(0, due.value - (yield* store.now).epochMillis))
    if (Duration.greaterThan(left, Duration.zero)) {
      yield* race.first([changes.changed(version), Effect.sleep(left), afterJump(due.value, store.now)])
    }
    const at = yield* store.now
    if (DateTime.toEpochMillis(at) >= due.value) yield* store.wakeDue({ kind, at })
  })
