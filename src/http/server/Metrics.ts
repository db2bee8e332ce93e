/**
 * The metrics of the server. Counters are updated as things happen (`followEvents`, `start`, `stop`); gauges are read whenever the
 * metrics are.
 */
import { Context, Duration, Effect, Layer, Number as Numbers, type Scope } from "effect"
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"
import type { StoreError } from "../../domain/errors.js"
import { ErrorKind } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import { overdueSeconds } from "../../domain/Schedule.js"
import * as background from "../../internal/background.js"
import { now } from "../../internal/now.js"
import { RealClock } from "../../internal/RealClock.js"
import * as instruments from "./instruments.js"
import { Managers, oldestWriteSeconds } from "./Managers.js"
import { OpenStreams } from "./OpenStreams.js"

/** The interval at which metrics are exported, in milliseconds; undefined if they are not. */
export class RefreshInterval extends Context.Reference<RefreshInterval>()("charlotte/http/RefreshInterval", {
  defaultValue: (): number | undefined => undefined
}) {}

const timed =
  ({ record }: typeof instruments.startSeconds) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.map(Effect.timed(effect), ([duration, value]) => {
      record(Duration.toSeconds(duration))
      return value
    })

export const start = timed(instruments.startSeconds)
export const stop = timed(instruments.stopSeconds)

export class Metrics extends Context.Tag("charlotte/http/Metrics")<
  Metrics,
  { readonly text: Effect.Effect<string, StoreError> }
>() {}

/** Gauges of a server that belongs to a node of a cluster. */
export interface ClusterGauges {
  /** Nodes that are alive. */
  readonly nodes: number
  /** How many jobs the cluster may run at once, if that is recorded. */
  readonly maxJobs: number | undefined
  /** How many jobs this node runs at once. */
  readonly capacity: number
  /** Jobs that run on this node. */
  readonly running: number
  /** Shards that this node has, of 300. */
  readonly shards: number
  /** Seconds since the last recorded heartbeat of this node. */
  readonly leaseAge: number
}

export interface Options {
  readonly maxJobs?: number
  readonly cluster?: Effect.Effect<ClusterGauges, StoreError>
}

const outcomes = ["completed", "failed", "cancelled"] as const satisfies ReadonlyArray<RunStatus>

/** Sampling interval in milliseconds. */
const resolution = 10

const loopDelay: Effect.Effect<IntervalHistogram, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const histogram = monitorEventLoopDelay({ resolution })
    histogram.enable()
    return histogram
  }),
  (histogram) => Effect.sync(() => histogram.disable())
)

/** Delay in seconds, from a measured interval in nanoseconds. */
const toDelay = (nanos: number): number => (Number.isFinite(nanos) ? Math.max(0, nanos / 1e9 - resolution / 1e3) : 0)

const make = (options: Options) =>
  Effect.gen(function* () {
    const managers = yield* Managers
    const { store } = managers
    const streams = yield* OpenStreams
    const delay = yield* loopDelay

    // Prometheus sees no increase in a series that begins with 1, so an alert would miss the first error.
    instruments.started.add({}, 0)
    instruments.events.add({}, 0)
    for (const status of outcomes) instruments.ended.add({ status }, 0)
    for (const { kind } of managers.all)
      for (const type of ErrorKind.literals) instruments.runErrors.add(instruments.ofError(kind, type), 0)
    instruments.startSeconds.show()
    instruments.stopSeconds.show()

    const lag = Effect.gen(function* () {
      const latest = yield* store.latestCursor
      const behind = (yield* streams.all).map(({ cursor, isCurrent }) =>
        isCurrent || cursor === undefined ? 0 : latest - cursor
      )
      return Math.max(0, ...behind)
    })

    const health = Effect.forEach(managers.all, ({ manager }) => manager.health)

    /** Sets all gauges and reads all metrics in one synchronous step. */
    const read = <A>(use: () => A): Effect.Effect<A, StoreError> =>
      Effect.gen(function* () {
        const kinds = yield* Effect.forEach(managers.all, ({ kind, manager }) =>
          Effect.all({ kind: Effect.succeed(kind), active: manager.activeCount, pending: store.pending(kind) })
        )
        const paused = yield* store.kinds.paused
        const [open, behind, healthOfAll] = yield* Effect.all([streams.all, lag, health])
        const subscribers = yield* store.subscribers.list
        const schedules = yield* store.schedules.list
        const time = yield* now
        const active = kinds.reduce((sum, kind) => sum + kind.active, 0)
        const node = options.cluster && (yield* options.cluster)
        const limits =
          options.maxJobs === undefined ? [] : yield* Effect.forEach(managers.all, ({ manager }) => manager.maxJobs)
        const maxJobs = node?.maxJobs ?? (options.maxJobs === undefined ? undefined : Numbers.sumAll(limits))
        return yield* Effect.sync(() => {
          instruments.active.set(active)
          instruments.streams.set(open.length)
          instruments.streamLag.set(behind)
          instruments.oldestWrite.set(oldestWriteSeconds(healthOfAll) ?? 0)
          for (const { active, kind, pending } of kinds) {
            const of = (state: string) => ({ "cicd.pipeline.name": kind, "cicd.pipeline.run.state": state })
            instruments.queueDepth.set(pending, { kind })
            instruments.paused.set(paused.some((paused) => paused.kind === kind) ? 1 : 0, { kind })
            instruments.runActive.set(pending, of("pending"))
            instruments.runActive.set(active, of("executing"))
          }
          for (const { aside, behind, failing, name } of subscribers) {
            instruments.subscriberLag.set(behind, { subscriber: name })
            instruments.subscriberUndelivered.set(failing, { subscriber: name, state: "failing" })
            instruments.subscriberUndelivered.set(aside, { subscriber: name, state: "aside" })
          }
          for (const schedule of schedules) {
            const of = { kind: schedule.kind, schedule: schedule.name }
            instruments.schedulesSkipped.set(schedule.skipped, of)
            instruments.schedulesOverdue.set(overdueSeconds(schedule, time), of)
          }
          instruments.workerCount.set(active, { "cicd.worker.state": "busy" })
          if (maxJobs !== undefined) {
            instruments.limit.set(maxJobs)
            instruments.workerCount.set(Math.max(0, maxJobs - active), { "cicd.worker.state": "available" })
          }
          if (node !== undefined) {
            instruments.clusterNodes.set(node.nodes)
            instruments.nodeCapacity.set(node.capacity)
            instruments.nodeRunning.set(node.running)
            instruments.nodeShards.set(node.shards)
            instruments.nodeLeaseAge.set(node.leaseAge)
          }
          const delays = { max: toDelay(delay.max), mean: toDelay(delay.mean), p99: toDelay(delay.percentile(99)) }
          for (const [of, value] of Object.entries(delays)) instruments.loopDelay.set(value, { of })
          delay.reset()
          return use()
        })
      })

    const interval = yield* RefreshInterval
    if (interval !== undefined) {
      const { sleep } = yield* RealClock
      const refresh = Effect.catchAllCause(
        read(() => undefined),
        (cause) => Effect.logWarning("reading metrics failed", cause)
      )
      // Half the interval, so that exported values are never older than one interval.
      yield* background.fork(Effect.forever(Effect.zipRight(refresh, sleep(interval / 2))))
      yield* Effect.addFinalizer(() => refresh)
    }
    return { text: read(instruments.text) }
  })

export const layer = (options: Options) => Layer.scoped(Metrics, make(options))
