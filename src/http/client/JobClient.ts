/**
 * A typed client for the HTTP API, derived from its contract.
 *
 * @since 0.1.0
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { Context, Duration, Effect, Layer, ParseResult, type Scope, Stream } from "effect"
import type {
  InvalidJobConfig,
  JobConflict,
  JobNotFound,
  MaxJobsReached,
  NotResumable,
  ShuttingDown,
  StopTimedOut,
  StoreError
} from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { StopReport } from "../../domain/StopReport.js"
import { Api, type Health, type Job, type JobPage } from "../contract/Api.js"
import * as Connection from "./Connection.js"
import * as EventSource from "./EventSource.js"
import { decodeLogError } from "./decodeErrorResponse.js"
import * as ClientError from "./ClientError.js"
import { endsJob } from "../contract/Events.js"
import type { Submission } from "../contract/Parameters.js"
import {
  type ConnectionFailed,
  type DaemonNotRunning,
  type IdempotencyKeyReused,
  type InvalidQuery,
  type LogNotFound,
  type NotReady,
  UnexpectedAnswer
} from "../contract/errors.js"

export type { Target } from "./Connection.js"
export type { FollowError } from "./EventSource.js"
export type { ClientError } from "./ClientError.js"

/**
 * A client for the HTTP API.
 *
 * @since 0.1.0
 * @category tags
 */
export class JobClient extends Context.Tag("charlotte/http/JobClient")<JobClient, Service>() {}

type Response<A, E = never> = Effect.Effect<A, E | StoreError | ClientError.ClientError>

/**
 * Every request may fail with a `ClientError`: server not running, connection lost, wrong token or version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The address of the server, for messages. */
  readonly address: string

  /** As `JobManager.start`. With an idempotency key it is safe to retry: the job is started once. */
  readonly start: (
    config: Submission,
    options?: { readonly idempotencyKey?: string }
  ) => Response<JobId, MaxJobsReached | JobConflict | InvalidJobConfig | IdempotencyKeyReused | ShuttingDown>

  /** A page of jobs, newest first. */
  readonly list: (query?: JobQuery) => Response<JobPage>

  /** The record of a job with its units and tasks. */
  readonly get: (id: JobId) => Response<Job, JobNotFound>

  /** As `JobManager.stop`. */
  readonly stop: (
    id: JobId,
    options?: { readonly grace?: Duration.DurationInput }
  ) => Response<StopReport, JobNotFound | StopTimedOut>

  /** As `JobManager.stopAll`. */
  readonly stopAll: Response<ReadonlyArray<StopReport>>

  /** As `JobManager.resume`. */
  readonly resume: (
    id: JobId
  ) => Response<void, JobNotFound | NotResumable | MaxJobsReached | JobConflict | ShuttingDown>

  /**
   * As `JobManager.events`. Reconnects when the connection is lost, for up to `patience`; delivers each event once, in order.
   */
  readonly events: (
    id: JobId,
    options?: Patience & { readonly after?: number }
  ) => Stream.Stream<JobEvent, EventSource.FollowError>

  /** As `JobManager.allEvents`; reconnects as `events` does. */
  readonly allEvents: (
    options?: Patience & { readonly after?: number | "latest" }
  ) => Stream.Stream<JobEvent, EventSource.FollowError>

  /** The latest log of a task, or a log file that an event names. */
  readonly log: (
    id: JobId,
    query: LogQuery
  ) => Stream.Stream<
    Uint8Array,
    ClientError.ClientError | JobNotFound | LogNotFound | InvalidQuery | ShuttingDown | StoreError
  >

  /** Requests a shutdown. The server responds first, then shuts down. */
  readonly shutdown: Effect.Effect<void, ClientError.ClientError>

  /** Liveness: version and process id of the server. */
  readonly health: Effect.Effect<Health, ClientError.ClientError>

  /** Readiness: fails with `NotReady` when the server cannot run or record jobs. */
  readonly ready: Effect.Effect<void, NotReady | ClientError.ClientError>
}

/**
 * How an event stream reconnects.
 *
 * @since 0.1.0
 * @category options
 */
export interface Patience {
  /** How long to try to reconnect; 1 minute by default. */
  readonly patience?: Duration.DurationInput
  /** Called with `lost` when the connection is lost and the client reconnects, and with `back` when it has reconnected. */
  readonly onConnection?: (state: "lost" | "back") => Effect.Effect<void>
}

/**
 * Filters of a list of jobs.
 *
 * @since 0.1.0
 * @category models
 */
export interface JobQuery {
  readonly status?: RunStatus
  /** A job must have all of these. */
  readonly labels?: { readonly [name: string]: string }
  /** Jobs per page, 1 to 1000; 100 by default. */
  readonly limit?: number
  /** Only jobs older than this one; `next` of the previous page. */
  readonly before?: JobId
}

/**
 * A log: the latest of a task, or a file that an event names.
 *
 * @since 0.1.0
 * @category models
 */
export type LogQuery = ({ readonly unit: string; readonly task: number } | { readonly file: string }) & {
  /** Offset in bytes; 0 by default. */
  readonly from?: number
  /** Offset in bytes, exclusive; the end of the file by default. */
  readonly to?: number
  /** Keep reading until the task, or the job, has ended. */
  readonly follow?: boolean
}

const prefix = "/api/v1"

/**
 * A client that lives as long as the scope. It connects with its first request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  target: Connection.Target
): Effect.Effect<Service, ConnectionFailed | DaemonNotRunning, Scope.Scope> =>
  Effect.gen(function* () {
    const where = "socket" in target ? target.socket : `${target.host}:${target.port}`
    const connection = yield* Effect.mapError(Connection.make(target), (cause) => ClientError.fromNode(where, cause))
    const { address } = connection
    const derived = {
      httpClient: connection.client,
      transformResponse: Effect.mapError((error: unknown) =>
        ParseResult.isParseError(error)
          ? new UnexpectedAnswer({ address, problem: ClientError.firstIssue(error) })
          : error
      )
    }
    // Derived when first used: a command makes one request.
    const jobs = { ...derived, group: "charlotteJobs" } as const
    const submit = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "submit" }))
    const list = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "list" }))
    const get = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "get" }))
    const stop = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "stop" }))
    const stopAll = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "stopAll" }))
    const resume = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "resume" }))
    const daemon = { ...derived, group: "charlotteDaemon" } as const
    const shutdown = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...daemon, endpoint: "shutdown" }))
    const health = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...daemon, endpoint: "health" }))
    const ready = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...daemon, endpoint: "ready" }))
    const translateErrors = ClientError.translateErrors(address)
    // For queries, which take milliseconds: a server that does not respond is suspended or hangs.
    const withTimeout = ClientError.withTimeout(address, "30 seconds")

    const scoped = HttpClient.withScope(connection.client)

    const log = (id: JobId, query: LogQuery) =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          const response = yield* translateErrors(scoped.get(`${prefix}/jobs/${id}/logs`, { urlParams: { ...query } }))
          if (response.status !== 200) return yield* decodeLogError(address, response)
          return Stream.mapError(response.stream, ClientError.translate(address))
        })
      )

    const follow = (options: Patience & Pick<EventSource.FollowOptions, "path" | "after" | "isLast">) =>
      EventSource.follow({ connection, patience: "1 minute", onConnection: () => Effect.void, ...options })

    return {
      address,
      start: (payload, { idempotencyKey } = {}) => {
        const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }
        return translateErrors(
          Effect.flatMap(submit, (submit) => Effect.map(submit({ payload, headers }), ({ id }) => id))
        )
      },
      list: ({ labels = {}, ...query } = {}) => {
        const label = Object.entries(labels).map(([name, value]) => ({ name, value }))
        return withTimeout(translateErrors(Effect.flatMap(list, (list) => list({ urlParams: { ...query, label } }))))
      },
      get: (id) => withTimeout(translateErrors(Effect.flatMap(get, (get) => get({ path: { id } })))),
      stop: (id, { grace } = {}) => {
        const urlParams = grace === undefined ? {} : { grace: Duration.decode(grace) }
        return translateErrors(Effect.flatMap(stop, (stop) => stop({ path: { id }, urlParams })))
      },
      stopAll: translateErrors(Effect.flatMap(stopAll, (stopAll) => stopAll({ payload: { all: true } }))),
      resume: (id) => translateErrors(Effect.flatMap(resume, (resume) => resume({ path: { id } }))),
      events: (id, { after = 0, ...options } = {}) =>
        follow({ ...options, path: `${prefix}/jobs/${id}/events`, after, isLast: endsJob }),
      allEvents: ({ after = 0, ...options } = {}) =>
        follow({ ...options, path: `${prefix}/events`, after, isLast: () => false }),
      log,
      shutdown: translateErrors(Effect.flatMap(shutdown, (shutdown) => shutdown({}))),
      health: withTimeout(translateErrors(Effect.flatMap(health, (health) => health({})))),
      ready: withTimeout(Effect.asVoid(translateErrors(Effect.flatMap(ready, (ready) => ready({})))))
    }
  })

/**
 * A client for the server on a unix socket or a port. It connects with its first request; a server that is not running fails that
 * request with `DaemonNotRunning`.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { JobClient } from "charlotte/http"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const client = yield* JobClient.JobClient
 *   const id = yield* client.start({ repoPath: "/home/me/project", tasksDir: "tasks", targetBranch: "main" })
 *   yield* Stream.runForEach(client.events(id), ({ seq, type }) => Console.log(seq, type))
 * }).pipe(Effect.provide(JobClient.layer({ socket: "/home/me/.charlotte/socket" })))
 */
export const layer = (target: Connection.Target): Layer.Layer<JobClient, ConnectionFailed | DaemonNotRunning> =>
  Layer.scoped(JobClient, make(target))
