/**
 * Metrics of the server, in the text format of Prometheus.
 */
import {
  Context,
  Duration,
  Effect,
  Layer,
  Metric,
  MetricBoundaries,
  Number as Numbers,
  Schedule,
  type Scope,
  Stream
} from "effect"
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"
import type { StoreError } from "../../domain/errors.js"
import { lifecycle } from "../../domain/JobEvent.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import * as prometheusText from "./prometheusText.js"
import { Managers } from "./Managers.js"
import { OpenStreams } from "./OpenStreams.js"

const seconds = MetricBoundaries.fromIterable([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

const help = {
  active: "Active jobs.",
  limit: "Maximum number of active jobs.",
  started: "Jobs started since the server started.",
  ended: "Jobs ended since the server started, by status.",
  events: "Events committed since the server started.",
  start: "Latency of requests that start a job, in seconds.",
  stop: "Latency of requests that stop a job, in seconds.",
  streams: "Open event streams and followed logs.",
  lag: "Events that the slowest open stream is behind.",
  delay: "Delay of the event loop since the last scrape, in seconds."
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

const make = (options: { readonly maxJobs?: number | undefined }) =>
  Effect.gen(function* () {
    const managers = yield* Managers
    const allEvents = managers.events(managers.all)
    const streams = yield* OpenStreams
    const delay = yield* loopDelay

    let after: number | "latest" = "latest"
    yield* Stream.suspend(() => allEvents(after)).pipe(
      Stream.runForEach(({ cursor, type }) => {
        after = cursor
        return count(type)
      }),
      Effect.tapErrorCause((cause) => Effect.logWarning("counting events failed, retrying", cause)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.annotateLogs("module", "Metrics"),
      Effect.forkScoped
    )

    const lag = Effect.gen(function* () {
      const latest = yield* managers.store.latestCursor
      const behind = (yield* streams.all).map(({ cursor, isCurrent }) =>
        isCurrent || cursor === undefined ? 0 : latest - cursor
      )
      return Math.max(0, ...behind)
    })

    const text = Effect.gen(function* () {
      const about = (name: string, help: string) => ({ name: `charlotte_${name}`, help })
      const delays = { max: toDelay(delay.max), mean: toDelay(delay.mean), p99: toDelay(delay.percentile(99)) }
      delay.reset()
      const counted = (metric: typeof started) => Effect.map(Metric.value(metric), ({ count }) => count)
      const counts = yield* Effect.forEach(managers.all, ({ manager }) => manager.activeCount)
      return [
        prometheusText.gauge(about("jobs_active", help.active), { value: Numbers.sumAll(counts) }),
        options.maxJobs === undefined
          ? ""
          : prometheusText.gauge(about("jobs_limit", help.limit), { value: options.maxJobs }),
        prometheusText.counter(about("jobs_started_total", help.started), { value: yield* counted(started) }),
        prometheusText.counter(
          about("jobs_ended_total", help.ended),
          ...(yield* Effect.forEach(outcomes, (status) =>
            Effect.map(counted(ended(status)), (value) => ({ labels: { status }, value }))
          ))
        ),
        prometheusText.counter(about("events_total", help.events), { value: yield* counted(events) }),
        prometheusText.histogram(about("start_seconds", help.start), yield* Metric.value(startSeconds)),
        prometheusText.histogram(about("stop_seconds", help.stop), yield* Metric.value(stopSeconds)),
        prometheusText.gauge(about("streams", help.streams), { value: (yield* streams.all).length }),
        prometheusText.gauge(about("stream_lag_events", help.lag), { value: yield* lag }),
        prometheusText.gauge(
          about("event_loop_delay_seconds", help.delay),
          ...Object.entries(delays).map(([of, value]) => ({ labels: { of }, value }))
        )
      ].join("")
    })
    return { text }
  })

export const layer = (options: { readonly maxJobs?: number | undefined }) => Layer.scoped(Metrics, make(options))
