/**
 * A client of a server of Charlotte, made from its contract.
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
import * as Refusal from "./decodeErrorResponse.js"
import * as Trouble from "./ClientError.js"
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

/** @since 0.1.0 */
export class JobClient extends Context.Tag("charlotte/http/JobClient")<JobClient, Service>() {}

type Answer<A, E = never> = Effect.Effect<A, E | StoreError | Trouble.ClientError>

/** @since 0.1.0 */
export interface Service {
  /** Where the server is, for people. */
  readonly address: string

  /** As `JobManager.start`. With an idempotency key it can be called again: the job is started once. */
  readonly start: (
    config: Submission,
    options?: { readonly idempotencyKey?: string }
  ) => Answer<JobId, MaxJobsReached | JobConflict | InvalidJobConfig | IdempotencyKeyReused | ShuttingDown>

  /** A page of jobs, newest first. */
  readonly list: (query?: JobQuery) => Answer<JobPage>

  /** All that is recorded of a job. */
  readonly get: (id: JobId) => Answer<Job, JobNotFound>

  /** As `JobManager.stop`. */
  readonly stop: (
    id: JobId,
    options?: { readonly grace?: Duration.DurationInput }
  ) => Answer<StopReport, JobNotFound | StopTimedOut>

  /** As `JobManager.stopAll`. */
  readonly stopAll: Answer<ReadonlyArray<StopReport>>

  /** As `JobManager.resume`. */
  readonly resume: (id: JobId) => Answer<void, JobNotFound | NotResumable | MaxJobsReached | JobConflict | ShuttingDown>

  /**
   * As `JobManager.events`. When the connection is lost it is made again, as long as the server comes back within `patience`;
   * no event is given twice, and none is left out.
   */
  readonly events: (
    id: JobId,
    options?: Patience & { readonly after?: number }
  ) => Stream.Stream<JobEvent, EventSource.FollowError>

  /** As `JobManager.allEvents`; connections are made again, as in `events`. */
  readonly allEvents: (
    options?: Patience & { readonly after?: number | "latest" }
  ) => Stream.Stream<JobEvent, EventSource.FollowError>

  /** What the latest log of a task holds, or a file that an event names. */
  readonly log: (
    id: JobId,
    query: LogQuery
  ) => Stream.Stream<
    Uint8Array,
    Trouble.ClientError | JobNotFound | LogNotFound | InvalidQuery | ShuttingDown | StoreError
  >

  /** Asks the server to end. It does so after it has answered. */
  readonly shutdown: Effect.Effect<void, Trouble.ClientError>

  readonly health: Effect.Effect<Health, Trouble.ClientError>

  /** Fails when jobs cannot be worked on or recorded. */
  readonly ready: Effect.Effect<void, NotReady | Trouble.ClientError>
}

/** @since 0.1.0 */
export interface Patience {
  /** How long to try to reach a server again; a minute when left out. */
  readonly patience?: Duration.DurationInput
  /** Told of each connection that is lost and is to be made again, and when it is. */
  readonly onConnection?: (state: "lost" | "back") => Effect.Effect<void>
}

/** @since 0.1.0 */
export interface JobQuery {
  readonly status?: RunStatus
  /** All of these must be on the job. */
  readonly labels?: { readonly [name: string]: string }
  /** 100 when left out. */
  readonly limit?: number
  readonly before?: JobId
}

/** @since 0.1.0 */
export type LogQuery = ({ readonly unit: string; readonly task: number } | { readonly file: string }) & {
  /** Offsets in bytes. */
  readonly from?: number
  readonly to?: number
  /** Goes on until the task, or the job, is over. */
  readonly follow?: boolean
}

const prefix = "/api/v1"

/** @since 0.1.0 */
export const make = (
  target: Connection.Target
): Effect.Effect<Service, ConnectionFailed | DaemonNotRunning, Scope.Scope> =>
  Effect.gen(function* () {
    const where = "socket" in target ? target.socket : `${target.host}:${target.port}`
    const connection = yield* Effect.mapError(Connection.make(target), (cause) => Trouble.fromNode(where, cause))
    const { address } = connection
    const derived = {
      httpClient: connection.client,
      transformResponse: Effect.mapError((error: unknown) =>
        ParseResult.isParseError(error) ? new UnexpectedAnswer({ address, problem: Trouble.problemOf(error) }) : error
      )
    }
    // Each is made when it is first used: a client often lives for one request.
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
    const translated = Trouble.translated(address)
    /** What is only looked up takes no time: whoever does not answer has been suspended, or is beyond help. */
    const inTime = Trouble.inTime(address, "30 seconds")

    const scoped = HttpClient.withScope(connection.client)

    const log = (id: JobId, query: LogQuery) =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          const response = yield* translated(scoped.get(`${prefix}/jobs/${id}/logs`, { urlParams: { ...query } }))
          if (response.status !== 200) return yield* Refusal.ofLog(address, response)
          return Stream.mapError(response.stream, Trouble.translate(address))
        })
      )

    const follow = (following: Patience & Pick<EventSource.Following, "path" | "after" | "isLast">) =>
      EventSource.follow({ connection, patience: "1 minute", onConnection: () => Effect.void, ...following })

    return {
      address,
      start: (payload, { idempotencyKey } = {}) => {
        const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }
        return translated(Effect.flatMap(submit, (submit) => Effect.map(submit({ payload, headers }), ({ id }) => id)))
      },
      list: ({ labels = {}, ...query } = {}) => {
        const label = Object.entries(labels).map(([name, value]) => ({ name, value }))
        return inTime(translated(Effect.flatMap(list, (list) => list({ urlParams: { ...query, label } }))))
      },
      get: (id) => inTime(translated(Effect.flatMap(get, (get) => get({ path: { id } })))),
      stop: (id, { grace } = {}) => {
        const urlParams = grace === undefined ? {} : { grace: Duration.decode(grace) }
        return translated(Effect.flatMap(stop, (stop) => stop({ path: { id }, urlParams })))
      },
      stopAll: translated(Effect.flatMap(stopAll, (stopAll) => stopAll({ payload: { all: true } }))),
      resume: (id) => translated(Effect.flatMap(resume, (resume) => resume({ path: { id } }))),
      events: (id, { after = 0, ...options } = {}) =>
        follow({ ...options, path: `${prefix}/jobs/${id}/events`, after, isLast: endsJob }),
      allEvents: ({ after = 0, ...options } = {}) =>
        follow({ ...options, path: `${prefix}/events`, after, isLast: () => false }),
      log,
      shutdown: translated(Effect.flatMap(shutdown, (shutdown) => shutdown({}))),
      health: inTime(translated(Effect.flatMap(health, (health) => health({})))),
      ready: inTime(Effect.asVoid(translated(Effect.flatMap(ready, (ready) => ready({})))))
    }
  })

/**
 * A client of the server at a socket, or at a port of this machine. It is made without looking whether anybody is there.
 *
 * @since 0.1.0
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
