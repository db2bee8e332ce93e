/**
 * A typed client for the HTTP API, derived from its contract.
 *
 * @since 0.1.0
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { Context, Duration, Effect, Layer, ParseResult, type Scope, Stream } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { Api } from "../contract/Api.js"
import * as Connection from "./Connection.js"
import * as EventSource from "./EventSource.js"
import { decodeLogError } from "./decodeErrorResponse.js"
import * as ClientError from "./ClientError.js"
import { endsJob } from "../contract/Events.js"
import type { LogQuery, Patience, Service } from "./JobClientService.js"
import { type ConnectionFailed, type DaemonNotRunning, UnexpectedAnswer } from "../contract/errors.js"

export type * from "./JobClientService.js"
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
