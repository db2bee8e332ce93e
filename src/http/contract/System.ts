/**
 * Endpoints about the server as a whole: how busy it is, and its agents.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import * as errorSchemas from "./errorSchemas.js"

/**
 * Quantiles of a time, in milliseconds, to within 5 %.
 *
 * @since 0.2.0
 * @category models
 */
export class Latency extends Schema.Class<Latency>("charlotte/Latency")({
  p50: Schema.Number,
  p95: Schema.Number,
  max: Schema.Number
}) {}

const latencies = {
  /** From the submission of a job to its start; missing where none has started. */
  wait: Schema.optional(Latency),
  /** From the start of the last attempt of a job to its end; missing where none has ended. */
  duration: Schema.optional(Latency)
}

/**
 * What the jobs of a server did in one minute.
 *
 * @since 0.2.0
 * @category models
 */
export class Minute extends Schema.Class<Minute>("charlotte/Minute")({
  /** When it began. */
  at: Schema.DateTimeUtc,
  completed: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  cancelled: Schema.NonNegativeInt,
  ...latencies
}) {}

/**
 * How busy a server is.
 *
 * @since 0.2.0
 * @category models
 */
export class System extends Schema.Class<System>("charlotte/System")({
  /** How many jobs may be active; missing where the server does not know. */
  capacity: Schema.optional(Schema.Int),
  active: Schema.NonNegativeInt,
  pending: Schema.NonNegativeInt,
  /** 10,000 means that many or more. */
  parked: Schema.NonNegativeInt,
  /** Of the oldest pending job, which may wait for a time or a key; in milliseconds. */
  oldestPending: Schema.optional(Schema.NonNegativeInt),
  /** What follows is counted in memory from this time on, and lost with the process. */
  since: Schema.DateTimeUtc,
  /** Of the last hour. */
  ...latencies,
  /** The last 60 minutes, oldest first; the last one is not over. */
  minutes: Schema.Array(Minute)
}) {}

/**
 * The usage limit that an agent has reached.
 *
 * @since 0.2.0
 * @category models
 */
export class ReachedLimit extends Schema.Class<ReachedLimit>("charlotte/ReachedLimit")({
  /** In the words of the agent. */
  reason: Schema.String,
  /** No turn of the agent begins before. */
  until: Schema.DateTimeUtc,
  /** How often in a row the agent was refused without saying when its limit resets; 0 if it does say so. */
  refusals: Schema.NonNegativeInt
}) {}

/**
 * An agent that jobs can use.
 *
 * @since 0.2.0
 * @category models
 */
export class AgentStatus extends Schema.Class<AgentStatus>("charlotte/AgentStatus")({
  name: Schema.String,
  /** Whether its command is installed on this machine. */
  installed: Schema.Boolean,
  /** How many of its turns are at work. */
  inUse: Schema.NonNegativeInt,
  /** Missing when it is not at its limit. */
  limit: Schema.optional(ReachedLimit)
}) {}

const described = (summary: string, description: string) => OpenApi.annotations({ summary, description })

export const group = HttpApiGroup.make("charlotteSystem")
  .add(
    HttpApiEndpoint.get("system", "/system")
      .addSuccess(System)
      .annotateContext(
        described(
          "Get how busy the server is",
          "Capacity, active, pending and parked jobs, and what has ended in each of the last 60 minutes. Throughput and latencies are kept in memory: they begin with the process."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("agents", "/agents")
      .addSuccess(Schema.Array(AgentStatus))
      .annotateContext(
        described(
          "List the agents",
          "Those of the configuration, the presets and script, sorted by name, with the turns at work and the usage limit that each has reached."
        )
      )
  )
  .addError(errorSchemas.StoreUnavailable)
  .addError(errorSchemas.StoreFailed)
  .addError(errorSchemas.StoreFull)
  .addError(errorSchemas.StoreInvalid)
  .prefix("/api/v1")
  .annotateContext(OpenApi.annotations({ title: "system", description: "How busy the server is, and its agents" }))
