/**
 * Endpoints about the server as a whole: how busy it is, and its agents.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { Subscriber } from "../../domain/Subscriber.js"
import { described } from "./described.js"
import * as errorSchemas from "./errorSchemas.js"
import { pauseSchedule, removeSchedule, runSchedule, schedules, unpauseSchedule } from "./Schedules.js"
import * as Parameters from "./Parameters.js"

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
  /** From the submission of a job to its start; missing if none has started. */
  wait: Schema.optional(Latency),
  /** From the start of the last attempt of a job to its end; missing if none has ended. */
  duration: Schema.optional(Latency)
}

/**
 * What the jobs of a server did in one minute.
 *
 * @since 0.2.0
 * @category models
 */
export class Minute extends Schema.Class<Minute>("charlotte/Minute")({
  /** When the minute began. */
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
  /** Maximum number of active jobs; missing if the server does not know it. */
  capacity: Schema.optional(Schema.Int),
  active: Schema.NonNegativeInt,
  pending: Schema.NonNegativeInt,
  /** 10,000 means that many or more. */
  parked: Schema.NonNegativeInt,
  /** The age of the oldest pending job, in milliseconds; it may be waiting for a time or a key. */
  oldestPending: Schema.optional(Schema.NonNegativeInt),
  /** Jobs that have not ended within their grace, and keep their permits; missing if there are none. */
  overdue: Schema.optional(Schema.Array(Schema.String)),
  /** Throughput and latencies are counted in memory from this time on, and lost with the process. */
  since: Schema.DateTimeUtc,
  /** The latencies of the last hour. */
  ...latencies,
  /** The last 60 minutes, oldest first, including the current one. */
  minutes: Schema.Array(Minute)
}) {}

/**
 * The usage limit that an agent has reached.
 *
 * @since 0.2.0
 * @category models
 */
export class ReachedLimit extends Schema.Class<ReachedLimit>("charlotte/ReachedLimit")({
  /** The agent's own message. */
  reason: Schema.String,
  /** No turn of the agent starts before this time. */
  until: Schema.DateTimeUtc,
  /** The number of consecutive refusals without a reset time; 0 if the agent gave one. */
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
  /** The number of its running turns. */
  inUse: Schema.NonNegativeInt,
  /** Missing if it is not at its limit. */
  limit: Schema.optional(ReachedLimit),
  /** Why its login, its key or its account was refused in its last turn that this server has seen; missing otherwise. */
  refused: Schema.optional(Schema.String)
}) {}

/**
 * The subscriber whose events are tried again.
 *
 * @since 0.2.0
 * @category models
 */
export class RetriedSubscriber extends Schema.Class<RetriedSubscriber>("charlotte/RetriedSubscriber")({
  /** The number of events that were put aside. */
  retried: Schema.NonNegativeInt
}) {}

const SubscriberPath = Schema.Struct({ name: Schema.NonEmptyString })

export const group = HttpApiGroup.make("charlotteSystem")
  .add(
    HttpApiEndpoint.get("system", "/system")
      .addSuccess(System)
      .annotateContext(
        described(
          "Get how busy the server is",
          "Capacity, the number of active, pending and parked jobs, and the jobs that ended in each of the last 60 minutes. Throughput and latencies are counted in memory since the server started."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("agents", "/agents")
      .addSuccess(Schema.Array(AgentStatus))
      .annotateContext(
        described(
          "List the agents",
          "The configured agents, the presets and script, sorted by name, with their running turns and the usage limit that each has reached."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("subscribers", "/subscribers")
      .addSuccess(Schema.Array(Subscriber))
      .annotateContext(
        described(
          "List the subscribers",
          "The subscribers of applications on this database, sorted by name: how far behind each is, and the events that it could not handle. A kind with onEnd has one, named after it."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("retrySubscriber", "/subscribers/:name/retry")
      .setPath(SubscriberPath)
      .addSuccess(RetriedSubscriber)
      .addError(errorSchemas.SubscriberNotFound)
      .annotateContext(
        described(
          "Retry the events that a subscriber has put aside",
          "Its live instance handles them again, within seconds if it is in another process."
        )
      )
  )
  .add(
    HttpApiEndpoint.del("removeSubscriber", "/subscribers/:name")
      .setPath(SubscriberPath)
      .setUrlParams(Schema.Struct({ by: Parameters.optional(Schema.String) }))
      .addSuccess(HttpApiSchema.NoContent)
      .addError(errorSchemas.SubscriberNotFound)
      .addError(errorSchemas.SubscriberInUse)
      .annotateContext(
        described(
          "Remove a subscriber",
          "Its cursor and the events that it has put aside are lost, and no run is kept for it any more. No process may run it."
        )
      )
  )
  .add(schedules)
  .add(runSchedule)
  .add(pauseSchedule)
  .add(unpauseSchedule)
  .add(removeSchedule)
  .addError(errorSchemas.Store)
  .addError(errorSchemas.StoreInvalid)
  .prefix("/api/v1")
  .annotateContext(OpenApi.annotations({ title: "system", description: "How busy the server is, and its agents" }))
