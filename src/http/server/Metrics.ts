/**
 * What is measured, and how it is told.
 */
import { Context, Duration, Effect, Layer, Metric, MetricBoundaries, Schedule, type Scope, Stream } from "effect"
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"
import type { StoreError } from "../../domain/errors.js"
import { lifecycle } from "../../domain/JobEvent.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import { JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import * as Prometheus from "./prometheusText.js"
import { Streams } from "./OpenStreams.js"

const seconds = MetricBoundaries.fromIterable([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

const help = {
  active: "Jobs that hold a place.",
  limit: "Places for jobs.",
  started: "Jobs that were started since the server began.",
  ended: "Jobs that have ended since the server began, by their status.",
  events: "Events that were committed since the server began.",
  start: "Seconds from a request to start a job to its answer.",
  stop: "Seconds from a request to stop a job to its answer.",
  streams: "Event streams and followed logs that are open.",
  lag: "Events that the slowest open stream has not been given yet.",
  delay: "Seconds by which the event loop was late since it was asked for last."
}

const startSeconds = Metric.histogram("charlotte_start_seconds", seconds, help.start)
const stopSeconds = Metric.histogram("charlotte_stop_seconds", seconds, help.stop)
const started = Metric.counter("charlotte_jobs_started_total", { description: help.started, incremental: true })
const events = Metric.counter("charlotte_events_total", { description: help.events, incremental: true })
const outcomes = ["completed", "failed", "cancelled"] as const satisfies ReadonlyArray<RunStatus>
const ended = (status: RunStatus) =>
  Metric.tagged(
    Metric.counter("charlotte_jobs_ended_total", { description: help.ended, incremental: true }),
    "status",
    status
  )

const timed =
  (metric: typeof startSeconds) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.timed(effect), ([duration, value]) =>
      Effect.as(Metric.update(metric, Duration.toSeconds(duration)), value)
    )

export const start = timed(startSeconds)
export const stop = timed(stopSeconds)

export class Metrics extends Context.Tag("charlotte/http/Metrics")<
  Metrics,
  { readonly text: Effect.Effect<string, StoreError> }
>() {}

const count = (type: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Metric.increment(events)
    if (type === "job.started") yield* Metric.increment(started)
    const known = Object.entries(lifecycle).find(([name]) => name === type)
    if (known !== undefined && isTerminal(known[1])) yield* Metric.increment(ended(known[1]))
  })

/** Milliseconds between two looks at the clock. */
const resolution = 10

const loopDelay: Effect.Effect<IntervalHistogram, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const histogram = monitorEventLoopDelay({ resolution })
    histogram.enable()
    return histogram
  }),
  (histogram) => Effect.sync(() => histogram.disable())
)

/** Seconds, of what is measured in nanoseconds from one look at the clock to the next. */
const late = (nanos: number): number => (Number.isFinite(nanos) ? Math.max(0, nanos / 1e9 - resolution / 1e3) : 0)

const make = (options: { readonly maxJobs?: number | undefined }) =>
  Effect.gen(function* () {
    const manager = yield* JobManager
    const store = yield* RunStore
    const streams = yield* Streams
    const delay = yield* loopDelay

    let after: number | "latest" = "latest"
    yield* Stream.suspend(() => manager.allEvents({ after })).pipe(
      Stream.runForEach(({ cursor, type }) => {
        after = cursor
        return count(type)
      }),
      Effect.tapErrorCause((cause) => Effect.logWarning("events are not counted for a moment", cause)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.annotateLogs("module", "Metrics"),
      Effect.forkScoped
    )

    const lag = Effect.gen(function* () {
      const latest = yield* store.latestCursor
      const behind = (yield* streams.all).map(({ current, cursor }) =>
        current || cursor === undefined ? 0 : latest - cursor
      )
      return Math.max(0, ...behind)
    })

    const text = Effect.gen(function* () {
      const about = (name: string, help: string) => ({ name: `charlotte_${name}`, help })
      const delays = { max: late(delay.max), mean: late(delay.mean), p99: late(delay.percentile(99)) }
      delay.reset()
      const counted = (metric: typeof started) => Effect.map(Metric.value(metric), ({ count }) => count)
      return [
        Prometheus.gauge(about("jobs_active", help.active), { value: yield* manager.activeCount }),
        options.maxJobs === undefined
          ? ""
          : Prometheus.gauge(about("jobs_limit", help.limit), { value: options.maxJobs }),
        Prometheus.counter(about("jobs_started_total", help.started), { value: yield* counted(started) }),
        Prometheus.counter(
          about("jobs_ended_total", help.ended),
          ...(yield* Effect.forEach(outcomes, (status) =>
            Effect.map(counted(ended(status)), (value) => ({ labels: { status }, value }))
          ))
        ),
        Prometheus.counter(about("events_total", help.events), { value: yield* counted(events) }),
        Prometheus.histogram(about("start_seconds", help.start), yield* Metric.value(startSeconds)),
        Prometheus.histogram(about("stop_seconds", help.stop), yield* Metric.value(stopSeconds)),
        Prometheus.gauge(about("streams", help.streams), { value: (yield* streams.all).length }),
        Prometheus.gauge(about("stream_lag_events", help.lag), { value: yield* lag }),
        Prometheus.gauge(
          about("event_loop_delay_seconds", help.delay),
          ...Object.entries(delays).map(([of, value]) => ({ labels: { of }, value }))
        )
      ].join("")
    })
    return { text }
  })

export const layer = (options: { readonly maxJobs?: number | undefined }) => Layer.scoped(Metrics, make(options))
