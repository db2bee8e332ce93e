/**
 * Delivers events to the handler of a subscriber, from its durable cursor on, until its lock is lost.
 *
 * Events with the same lane (all, or those of a job) are handled one after the other. The cursor never passes an event whose handler has
 * not ended, unless the store knows that it has failed. It is saved while the next events are handled, so after a crash a few of them
 * are handled again.
 */
import { type Cause, type DateTime, Duration, Effect, Exit, Fiber, Option, Schedule, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as Permits from "../../internal/Permits.js"
import * as race from "../../internal/race.js"
import { asClock, RealClock } from "../../internal/RealClock.js"
import { makeNotifier } from "../../store/port/ChangeNotifier.js"
import type * as RunStoreService from "../../store/port/RunStoreService.js"
import type { Delivery, Selection, SubscriberLock } from "../../store/port/RunStoreService.js"
import * as JobOutcome from "./JobOutcome.js"
import { pauseBefore } from "./retry.js"

/** What a subscriber receives, before it is shown to the handler. */
export type Item =
  ({ readonly _tag: "Event" } & Delivery) | { readonly _tag: "Gap"; readonly from: number; readonly to: number }

export interface Subscription<R> extends Selection {
  readonly name: string
  /** How many events are handled at once; with 1, all events are handled in order. */
  readonly concurrency: number
  /** How long a handler is tried again before its event is put aside. */
  readonly giveUp: Duration.Duration
  readonly handler: (item: Item) => Effect.Effect<void, unknown, R>
}

const pageSize = 256

/** The events that are read and not handled yet, and the size of their payloads. */
const maxUnhandled = 1_000
const maxUnhandledBytes = 4 * 1024 * 1024

/** Milliseconds until the cursor is saved that has only passed events of others. */
const idleSave = 1_000

/** Milliseconds between two reads of the progress, for what no commit of this store announces. */
const refresh = 10_000

const backoff = { base: "1 second", max: "10 minutes" } as const

const storeRetries = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("10 seconds")))

/** Repeats an operation of the store until it succeeds, in real time. */
const persist = <A>(operation: Effect.Effect<A, StoreError>): Effect.Effect<A> =>
  Effect.catchAll(operation, () =>
    Effect.flatMap(asClock, (clock) =>
      operation.pipe(
        Effect.tapError((error) => Effect.logWarning("the store does not answer yet", error)),
        Effect.retry(storeRetries),
        Effect.orDie,
        Effect.delay("100 millis"),
        Effect.withClock(clock)
      )
    )
  )

/** An item that is not handled yet. */
interface Pending {
  readonly item: Item
  readonly bytes: number
  /** When its handler has failed first, as far as this instance knows. */
  failedAt?: DateTime.Utc
  /** Whether the store knows that its handler has failed. */
  isRecorded: boolean
}

const shown = (item: Item): string =>
  item._tag === "Gap"
    ? `the gap from ${item.from} to ${item.to}`
    : `${item.event.type} of job ${item.event.jobId} (cursor ${item.event.cursor})`

/** Returns when the lock is lost, or the subscriber was removed. */
export const deliver = <R>(
  store: Pick<RunStoreService.Service, "subscribers" | "changes" | "now">,
  subscription: Subscription<R>,
  { holder, lost }: SubscriberLock
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { concurrency, giveUp, handler, kinds, name, types } = subscription
    const { subscribers } = store
    const { sleep } = yield* RealClock
    const changes = yield* store.changes()
    const begun = yield* persist(subscribers.progress({ name, after: 0 }))
    if (Option.isNone(begun)) return

    /** The cursor in the store, the cursor to save, and the cursor up to which the log was read. */
    let saved = begun.value.cursor
    let current = saved
    let position = saved
    /** Whether a handler has ended since the cursor was saved last. */
    let hasHandled = false
    /** The cursors that hold the cursor back, in order, and all that are not handled. */
    const holding = new Set<number>()
    const unhandled = new Map<Item["_tag"] | number, Pending>()
    let unhandledBytes = 0
    const lanes = new Map<JobId | "all", Array<Pending>>()
    const fibers = new Set<Fiber.RuntimeFiber<void>>()
    const permit = Permits.make(concurrency)
    const moved = makeNotifier()
    const ended = makeNotifier()

    const keyOf = (item: Item) => (item._tag === "Gap" ? item._tag : item.event.cursor)
    const laneOf = (item: Item) => (concurrency === 1 || item._tag === "Gap" ? "all" : item.event.jobId)

    const advance = () => {
      const [first] = holding
      const to = first === undefined ? position : first - 1
      if (to <= current) return
      current = to
      moved.unsafeWake()
    }

    const release = (item: Item) => {
      if (item._tag === "Event") holding.delete(item.event.cursor)
      hasHandled = true
      advance()
    }

    /** Records a failure. Returns whether the handler is tried again, and after what pause. */
    const afterFailure = (pending: Pending, n: number, cause: Cause.Cause<unknown>) =>
      Effect.gen(function* () {
        const at = yield* store.now
        const { item } = pending
        const error = JobOutcome.render(cause)
        if (item._tag === "Event") {
          const { cursor, jobId } = item.event
          pending.failedAt = yield* persist(subscribers.failed({ name, jobId, cursor, at, error }))
          pending.isRecorded = true
          release(item)
        }
        const failedAt = (pending.failedAt ??= at)
        const left = Duration.subtract(giveUp, Duration.millis(at.epochMillis - failedAt.epochMillis))
        if (Duration.greaterThan(left, Duration.zero)) {
          if (n === 1) yield* Effect.logWarning(`the handler has failed on ${shown(item)}, and is tried again`, cause)
          return Option.some(Duration.min(left, yield* pauseBefore(n, backoff)))
        }
        yield* Effect.logError(`${shown(item)} is put aside: its handler has failed for too long`, cause)
        if (item._tag === "Event") yield* persist(subscribers.putAside({ name, cursor: item.event.cursor }))
        return Option.none()
      })

    const handle = (pending: Pending): Effect.Effect<void, never, R> =>
      Effect.gen(function* () {
        const { item } = pending
        for (let n = 1; ; n++) {
          const exit = yield* Effect.exit(permit(handler(item)))
          const pause = Exit.isSuccess(exit) ? Option.none() : yield* afterFailure(pending, n, exit.cause)
          if (Option.isSome(pause)) {
            yield* Effect.sleep(pause.value)
            continue
          }
          if (item._tag === "Gap") return yield* persist(subscribers.closeGap({ name, to: item.to }))
          if (Exit.isSuccess(exit) && pending.isRecorded) {
            yield* persist(subscribers.settle({ name, cursor: item.event.cursor }))
          }
          return
        }
      })

    const drain = (lane: JobId | "all", queue: Array<Pending>) =>
      Effect.gen(function* () {
        for (let [pending] = queue; pending !== undefined; [pending] = queue) {
          yield* handle(pending)
          queue.shift()
          unhandled.delete(keyOf(pending.item))
          unhandledBytes -= pending.bytes
          release(pending.item)
          ended.unsafeWake()
        }
        lanes.delete(lane)
      })

    const enqueue = (pending: Pending): Effect.Effect<void, never, R> =>
      Effect.suspend(() => {
        const { item } = pending
        unhandled.set(keyOf(item), pending)
        unhandledBytes += pending.bytes
        if (item._tag === "Event" && !pending.isRecorded) holding.add(item.event.cursor)
        const lane = laneOf(item)
        const queue = lanes.get(lane)
        if (queue !== undefined) return Effect.sync(() => void queue.push(pending))
        const opened = [pending]
        lanes.set(lane, opened)
        return Effect.map(Effect.forkDaemon(Effect.interruptible(drain(lane, opened))), (fiber) => {
          fibers.add(fiber)
          fiber.addObserver(() => void fibers.delete(fiber))
        })
      }).pipe(Effect.uninterruptible)

    const awaitRoom = Effect.gen(function* () {
      while (unhandled.size >= maxUnhandled || unhandledBytes >= maxUnhandledBytes) {
        yield* ended.changed(yield* ended.version)
      }
    })

    /** The failed events that wait for no page: those before the position. */
    const enqueueFailed = (cursor: number) =>
      Effect.gen(function* () {
        const { deliveries } = yield* persist(subscribers.deliveries({ kinds, types, after: cursor - 1, limit: 1 }))
        const [delivery] = deliveries
        // Its run was pruned, or the subscriber no longer receives its kind or type.
        if (delivery?.event.cursor !== cursor) return yield* persist(subscribers.settle({ name, cursor }))
        yield* awaitRoom
        yield* enqueue({ item: { _tag: "Event", ...delivery }, bytes: 0, isRecorded: true })
      })

    /** The events behind the cursor that had failed when this instance began. */
    const known = yield* persist(subscribers.progress({ name, after: saved }))
    const undeliveredBefore = Option.match(known, { onNone: () => [], onSome: ({ undelivered }) => undelivered })
    const failedBefore = new Map(undeliveredBefore.map(({ cursor, isAside }) => [cursor, isAside]))

    const read = Effect.gen(function* () {
      const version = yield* changes.version
      // What is being handled now may be handled once the progress is read.
      const before = new Set(unhandled.keys())
      const progress = yield* persist(subscribers.progress({ name, after: position }))
      if (Option.isNone(progress)) return true
      const { gap, undelivered } = progress.value
      if (Option.isSome(gap) && !before.has("Gap")) {
        yield* enqueue({ item: { _tag: "Gap", ...gap.value }, bytes: 0, isRecorded: false })
      }
      for (const { cursor, isAside } of undelivered) {
        if (!isAside && cursor <= position && !before.has(cursor)) yield* enqueueFailed(cursor)
      }
      const page = yield* persist(subscribers.deliveries({ kinds, types, after: position, limit: pageSize }))
      const bytes = page.size / Math.max(1, page.deliveries.length)
      for (const delivery of page.deliveries) {
        const isAside = failedBefore.get(delivery.event.cursor)
        if (isAside === true) continue
        yield* awaitRoom
        yield* enqueue({ item: { _tag: "Event", ...delivery }, bytes, isRecorded: isAside !== undefined })
      }
      position = page.cursor
      advance()
      if (!page.more) yield* race.first([changes.changed(version), sleep(refresh)])
      return false
    })

    const move = Effect.gen(function* () {
      const cursor = current
      hasHandled = false
      const isHeld = yield* persist(Effect.flatMap(store.now, (at) => subscribers.move({ name, holder, cursor, at })))
      saved = cursor
      return !isHeld
    })

    const save = Effect.gen(function* () {
      const version = yield* moved.version
      const handled = yield* ended.version
      if (current === saved) return yield* Effect.as(moved.changed(version), false)
      if (!hasHandled) {
        yield* race.first([ended.changed(handled), sleep(idleSave)])
      }
      return yield* move
    })

    // A handler that ended just before its instance has to be remembered, too.
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() =>
        current === saved
          ? Effect.void
          : Effect.ignoreLogged(
              Effect.flatMap(store.now, (at) => subscribers.move({ name, holder, cursor: current, at }))
            )
      )
    )
    yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll([...fibers])))
    const untilLost = (step: Effect.Effect<boolean, never, R>) =>
      Effect.asVoid(Effect.repeat(step, { until: (isLost) => isLost }))
    yield* race.first([lost, untilLost(read), untilLost(save)])
  })
