/**
 * An HTTP server for the jobs of a manager, on one or more addresses.
 */
import { createServer as createNodeServer, type RequestListener, type Server as NodeServer } from "node:http"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Array, Context, Deferred, Duration, Effect, Exit, Layer, type Redacted, Runtime, Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { InternalError, NotReady } from "../contract/errors.js"
import type * as Address from "./Address.js"
import * as background from "../../internal/background.js"
import * as Later from "../../internal/Later.js"
import { RealClock } from "../../internal/RealClock.js"
import { ListenError } from "./ListenError.js"
import * as Page from "./page/Page.js"
import type { Port } from "./page/SessionFile.js"
import type { AccessPolicy } from "./RequestGuard.js"
import type * as Handlers from "./Handlers.js"
import type { Parts, Served } from "./HttpApp.js"
import type { Requirements } from "./KindHandlers.js"
import * as Listener from "./Listener.js"
import type { ClusterGauges } from "./Metrics.js"
import type * as OpenStreams from "./OpenStreams.js"

export type { Address, Bound, Tls } from "./Address.js"

/**
 * A running server.
 *
 * @since 0.1.0
 * @category tags
 */
export class Server extends Context.Tag("charlotte/http/Server")<
  Server,
  {
    /** The actual addresses, with the chosen port and the shortened socket path. */
    readonly addresses: ReadonlyArray<Address.Bound>
    /** Returns after `POST /shutdown`. The owner of the layer then closes it. */
    readonly shutdownRequested: Effect.Effect<void>
    /** Returns when the HTTP application is loaded. Earlier requests wait for it. */
    readonly prepared: Effect.Effect<void>
  }
>() {}

/**
 * Options of `Server.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options extends Handlers.Options, Listener.Limits, OpenStreams.Options {
  /** One address or several. */
  readonly listen: Address.Address | ReadonlyArray<Address.Address>
  /**
   * Bearer token of at least 32 characters; required to listen on a port, not used on a socket. The nodes of a cluster share one,
   * which they send to each other.
   */
  readonly token?: Redacted.Redacted
  /** Maximum size of a request body in bytes; 1 MiB by default. */
  readonly maxBody?: number
  /** How long requests in flight may take during shutdown; 2 seconds by default. */
  readonly drain?: Duration.DurationInput
  /** The manager's `maxJobs`, for the metrics. */
  readonly maxJobs?: number
  /** Further reasons why the server is not ready, for `/readyz`. */
  readonly problems?: Effect.Effect<ReadonlyArray<string>>
  /**
   * Whether it serves the page, with sessions as those of a daemon: `POST /api/v1/session/code` returns a code and an origin, and the
   * address `ORIGIN/jobs#code=CODE` opens the page once. It is on the port of `listen`, or else on a port of 127.0.0.1 that is opened
   * for it. Sessions end with the server. To serve the page behind a login of your own, see `Page.layer`.
   */
  readonly page?: boolean
  /** The agents that jobs can use, for `GET /api/v1/agents`; none by default. */
  readonly agents?: Effect.Effect<ReadonlyArray<{ readonly name: string; readonly installed: boolean }>>
  /** The cursor after which throughput and latencies are counted; the latest one by default. */
  readonly after?: number
}

const internalError = new InternalError()
const errorBody = JSON.stringify({ ...internalError, message: internalError.message })
const errorHeaders = { "content-type": "application/json", connection: "close" }

/**
 * Options of the daemon and of `charlotte run`.
 *
 * @internal
 */
export interface ListenOptions extends Omit<Options, "page"> {
  /** Gauges of a node of a cluster, for the metrics. */
  readonly cluster?: Effect.Effect<ClusterGauges, StoreError>
  /** The page, served on the port of `listen`, or else on a port that is opened for it. */
  readonly page?: Page.Options | undefined
}

const make = <Groups extends HttpApiGroup.HttpApiGroup.Any, E>(
  options: ListenOptions & Served<Groups, E>,
  parts: Effect.Effect<Parts>
) =>
  Effect.gen(function* () {
    const { drain = "2 seconds", listen } = options
    const runFork = Runtime.runFork(yield* background.runtime<Requirements<Groups>>())
    const requested = yield* Deferred.make<void>()
    // The application outlives the connections.
    const newScope = Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const scope = yield* newScope
    const addresses = yield* newScope
    const listeners: Array<Listener.Listener> = []

    /** Requests wait until the application is loaded and the actual address is known. */
    const add = (
      address: Address.Address,
      token: Redacted.Redacted | undefined
    ): Effect.Effect<Listener.Listener, ListenError> =>
      Effect.gen(function* () {
        const policy = yield* Deferred.make<AccessPolicy>()
        const isSession = page?.sessions.use
        const listener = yield* Listener.listen(address, { ...options, token, isSession, onRequest: onRequest(policy) })
        yield* Deferred.succeed(policy, listener.policy)
        listeners.push(listener)
        return listener
      }).pipe(Scope.extend(addresses))

    const servePage = (page: Page.Options) =>
      Page.make(page, {
        current: Effect.sync(() => listeners.flatMap(Listener.portOf)[0]),
        open: (port) =>
          Effect.flatMap(options.token === undefined ? tokenFor(port, page) : Effect.succeed(options.token), (token) =>
            Effect.map(add(port, token), Listener.originOf)
          )
      })
    const page = options.page && (yield* servePage(options.page))

    const load = Effect.gen(function* () {
      const HttpApp = yield* Effect.promise(() => import("./HttpApp.js"))
      const shutdown = Effect.asVoid(Deferred.succeed(requested, undefined))
      const layer = HttpApp.layer({ ...options, ...(yield* parts), page, shutdown })
      return Context.get(yield* Layer.buildWithScope(layer, scope), HttpApp.Application)
    })
    const application = yield* Later.make(load)

    const onRequest = (policy: Deferred.Deferred<AccessPolicy>): RequestListener => {
      let listener: RequestListener | undefined
      const ready = Effect.flatMap(application.get, (app) => Effect.flatMap(Deferred.await(policy), app.listener))
      return (request, response) =>
        listener === undefined
          ? void runFork(
              Effect.matchCauseEffect(ready, {
                onFailure: (cause) =>
                  Effect.zipRight(
                    Effect.logError("loading the HTTP application failed", cause),
                    Effect.sync(() => response.writeHead(500, errorHeaders).end(errorBody))
                  ),
                onSuccess: (handler) =>
                  Effect.sync(() => {
                    listener ??= handler
                    // The client may have disconnected meanwhile, which the handler would not notice.
                    if (!response.destroyed) listener(request, response)
                  })
              })
            )
          : listener(request, response)
    }

    yield* Effect.forEach(Array.ensure(listen), (address) => add(address, options.token))
    const bound = listeners.map(({ address }) => address)
    if (page !== undefined) yield* page.start
    // Added last, so that it runs before the listeners close.
    yield* Effect.addFinalizer(() => {
      const servers = listeners.map(({ server }) => server)
      // If the application was never requested, there are no requests in flight.
      return application.isWanted()
        ? Effect.zipRight(
            Effect.flatMap(application.get, ({ close }) => close),
            closeServers(servers, drain)
          )
        : closeServers(servers, 0)
    })
    return {
      addresses: bound,
      shutdownRequested: Deferred.await(requested),
      prepared: Effect.asVoid(application.get)
    }
  })

const tokenFor = ({ host, port }: Port, page: Page.Options) =>
  Effect.mapError(page.token, ({ message }) => new ListenError({ address: `${host}:${port}`, problem: message }))

/** How often idle connections are closed during shutdown, in milliseconds. */
const pollInterval = 20

/** Lets requests in flight finish within the timeout, then closes all connections. */
const closeServers = (servers: ReadonlyArray<NodeServer>, timeout: Duration.DurationInput) =>
  Effect.gen(function* () {
    // Real time, because clients do not follow a test clock.
    const clock = yield* RealClock
    let open = servers.length
    for (const server of servers) server.close(() => (open -= 1))
    const drain = (left: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        for (const server of servers) server.closeIdleConnections()
        return open === 0 || left <= 0
          ? Effect.void
          : Effect.zipRight(clock.sleep(pollInterval), drain(left - pollInterval))
      })
    yield* drain(Duration.toMillis(timeout))
    for (const server of servers) server.closeAllConnections()
  })

/** Loads the HTTP application, and the parts of it that depend on the jobs, with the first request, or when `prepared` runs. */
export const listen = <Groups extends HttpApiGroup.HttpApiGroup.Any = never, E = never>(
  options: ListenOptions & Served<Groups, E>,
  parts: Effect.Effect<Parts>
): Layer.Layer<Server, ListenError, Requirements<Groups>> => Layer.scoped(Server, make(options, parts))

const starting = new NotReady({ problems: ["the server is starting, or shutting down"] })

/**
 * A Node server for an application's `NodeHttpServer.layer`. That layer listens before the application's handler is attached, and
 * Node never responds to a request that arrives in between. This server responds to it with 503 and `Retry-After`.
 *
 * @since 0.2.0
 * @category constructors
 * @example
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import { Server } from "charlotte/http"
 *
 * const NodeServer = NodeHttpServer.layer(Server.createServer, { port: 3000 })
 */
export const createServer = (): NodeServer => {
  const server = createNodeServer()
  return server.on("request", (request, response) => {
    if (server.listenerCount("request") > 1) return
    request.resume()
    response
      .writeHead(503, { "content-type": "application/json", "retry-after": "1", connection: "close" })
      .end(JSON.stringify({ ...starting, message: starting.message }))
  })
}
