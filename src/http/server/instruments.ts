/**
 * All metrics, under their names in OTLP. In the Prometheus text, a name has underscores instead of dots, and its unit and `_total`
 * as suffixes, as OpenTelemetry specifies. Names with dots are OpenTelemetry's semantic conventions for CI/CD.
 */
import { Metric, type MetricPair, MetricState } from "effect"
import { counter, histogram, type Labels, tags, unitLabel } from "../../internal/instrument.js"
import * as steps from "../../manager/internal/stepMetrics.js"
import * as prometheusText from "./prometheusText.js"

interface Instrument {
  readonly name: string
  readonly help: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly unit: string | undefined
}

const gauge = (name: string, help: string) => {
  const metric = Metric.gauge(name, { description: help })
  const set = (value: number, labels: Labels = {}) => metric.unsafeUpdate(value, tags(labels))
  return { name, help, unit: undefined, type: "gauge" as const, set }
}

/** An UpDownCounter of OpenTelemetry that is set to a value rather than changed by a difference. */
const upDown = (name: string, help: string, unit: string) => {
  const metric = Metric.counter(name, { description: help })
  const set = (value: number, labels: Labels) => {
    const all = tags(labels, unit)
    metric.unsafeUpdate(value - metric.unsafeValue(all).count, all)
  }
  return { name, help, unit, type: "gauge" as const, set }
}

const latencies = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** From a second to a day. */
const durations = [1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400]

export const runDuration = histogram(
  "cicd.pipeline.run.duration",
  "Duration of jobs that have ended, by state.",
  durations
)
export const runActive = upDown("cicd.pipeline.run.active", "Jobs that wait for a permit or run, by state.", "{run}")
export const ofError = (kind: string, type: string): Labels => ({ "cicd.pipeline.name": kind, "error.type": type })
export const runErrors = counter("cicd.pipeline.run.errors", "Errors of jobs and gates, by type.", "{error}")
export const workerCount = upDown("cicd.worker.count", "Permits to run jobs, by state.", "{count}")

export const active = gauge("charlotte_jobs_active", "Active jobs.")
export const limit = gauge("charlotte_jobs_limit", "Maximum number of active jobs.")
export const queueDepth = gauge("charlotte_queue_depth", "Jobs that wait to be started, by kind.")
export const paused = gauge("charlotte_kind_paused", "Whether no job of a kind begins: 1 while it is paused.")
export const started = counter("charlotte_jobs_started_total", "Jobs started since the server started.")
export const ended = counter("charlotte_jobs_ended_total", "Jobs ended since the server started, by status.")
export const turns = counter(
  "charlotte_agent_turns_total",
  "Turns of agents since the server started, by how they ended."
)
export const agentCost = counter(
  "charlotte_agent_cost_usd_total",
  "What turns of agents have cost since the server started, in US dollars: an estimate at the prices of the API."
)
export const agentTokens = counter(
  "charlotte_agent_tokens_total",
  "Tokens of the turns of agents since the server started, by kind."
)
export const events = counter("charlotte_events_total", "Events committed since the server started.")
export const startSeconds = histogram(
  "charlotte_start_seconds",
  "Latency of requests that start a job, in seconds.",
  latencies
)
export const stopSeconds = histogram(
  "charlotte_stop_seconds",
  "Latency of requests that stop a job, in seconds.",
  latencies
)
export const streams = gauge("charlotte_streams", "Open event streams and followed logs.")
export const streamLag = gauge("charlotte_stream_lag_events", "Events that the slowest open stream is behind.")
export const oldestWrite = gauge(
  "charlotte_oldest_write_seconds",
  "Time that the oldest write which waits for the database has been tried, in seconds."
)
export const loopDelay = gauge(
  "charlotte_event_loop_delay_seconds",
  "Delay of the event loop since it was last read, in seconds."
)

export const subscriberLag = gauge(
  "charlotte_subscriber_lag_events",
  "Events between the cursor of a subscriber and the latest, those that it does not receive included."
)
export const subscriberUndelivered = gauge(
  "charlotte_subscriber_undelivered_events",
  "Events that a subscriber could not handle, by state: failing, or put aside."
)

export const schedulesSkipped = gauge(
  "charlotte_schedule_skipped_ticks",
  "Ticks of a schedule that have started no job, though one was due."
)
export const schedulesOverdue = gauge(
  "charlotte_schedule_overdue_seconds",
  "How late the next tick of a schedule is; 0 if it is not, or if the schedule is paused."
)

export const clusterNodes = gauge("charlotte_cluster_nodes", "Nodes of the cluster that are alive.")
export const nodeCapacity = gauge("charlotte_node_capacity", "Maximum number of jobs of this node.")
export const nodeRunning = gauge("charlotte_node_jobs_running", "Jobs that run on this node.")
export const nodeShards = gauge("charlotte_node_shards", "Shards of this node, of 300: its share of the jobs.")
export const nodeLeaseAge = gauge(
  "charlotte_node_lease_age_seconds",
  "Time since the last sign of life of this node, in seconds."
)

/** In the order of the text. */
export const all: ReadonlyArray<Instrument> = [
  ...[
    active,
    limit,
    queueDepth,
    paused,
    started,
    ended,
    turns,
    agentCost,
    agentTokens,
    events,
    steps.total,
    steps.seconds,
    startSeconds,
    stopSeconds,
    streams,
    streamLag,
    oldestWrite,
    loopDelay,
    subscriberLag,
    subscriberUndelivered,
    schedulesSkipped,
    schedulesOverdue,
    clusterNodes,
    nodeCapacity,
    nodeRunning,
    nodeShards,
    nodeLeaseAge
  ],
  ...[runDuration, runActive, runErrors, workerCount]
]

export const prometheusName = ({ name, type, unit }: Instrument): string => {
  const ending = (end: string) => (name.endsWith(end) ? "" : end)
  return (
    name.replaceAll(".", "_") + (unit === "s" ? ending("_seconds") : "") + (type === "counter" ? ending("_total") : "")
  )
}

const sampleOf = ({ metricKey, metricState }: MetricPair.MetricPair.Untyped) => ({
  labels: Object.fromEntries(
    metricKey.tags.flatMap(({ key, value }) => (key === unitLabel ? [] : [[key.replaceAll(".", "_"), value]]))
  ),
  state: metricState
})

const valueOf = (state: unknown): number =>
  MetricState.isCounterState(state) ? Number(state.count) : MetricState.isGaugeState(state) ? Number(state.value) : NaN

/** The Prometheus text of all metrics that have a value. */
export const text = (): string => {
  const found = Metric.unsafeSnapshot()
  return all
    .map((instrument) => {
      const { help, name, type } = instrument
      const samples = found.filter(({ metricKey }) => metricKey.name === name).map(sampleOf)
      const about = { name: prometheusName(instrument), help }
      if (samples.length === 0) return ""
      if (type !== "histogram") {
        const family = type === "counter" ? prometheusText.counter : prometheusText.gauge
        return family(about, ...samples.map(({ labels, state }) => ({ labels, value: valueOf(state) })))
      }
      return prometheusText.histogram(
        about,
        ...samples.flatMap(({ labels, state }) => (MetricState.isHistogramState(state) ? [{ labels, state }] : []))
      )
    })
    .join("")
}
