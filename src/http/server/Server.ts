/**
 * The server: the handlers of the contract behind one or more addresses.
 *
 * @since 0.1.0
 */
import { createServer as createNodeServer, type RequestListener, type Server as NodeServer } from "node:http"
import { Array, Context, Deferred, Duration, Effect, Exit, Layer, type Redacted, Runtime, Scope } from "effect"
import type { JobManager } from "../../manager/JobManager.js"
import { InternalError, NotReady } from "../contract/errors.js"
import * as Later from "../../internal/Later.js"
import type { RunStore } from "../../store/RunStore.js"
import { RealClock } from "../../internal/RealClock.js"
import type { ListenError } from "./ListenError.js"
import type { Door } from "./RequestGuard.js"
import type * as Handlers from "./Handlers.js"
import * as Listener from "./Listener.js"
import type * as Streams from "./OpenStreams.js"

export type { Address } from "./Listener.js"

/**
 * A server that runs.
 *
 * @since 0.1.0
 */
export class Server extends Context.Tag("charlotte/http/Server")<
  Server,
  {
    /** Where it listens, with what it was asked for made exact: a port that was free, a path that was shortened. */
    readonly addresses: ReadonlyArray<Listener.Address>
    /** Returns when somebody has asked the server to end; to end it is for whoever made it. */
    readonly shutdownRequested: Effect.Effect<void>
    /** Returns when all is loaded that answers requests. Whoever sends one before only waits for it. */
    readonly prepared: Effect.Effect<void>
  }
>() {}

/** @since 0.1.0 */
export interface Options extends Handlers.Options, Listener.Limits, Streams.Options {
  readonly listen: Listener.Address | ReadonlyArray<Listener.Address>
  /** What a client of a port has to send; a socket needs none. */
  readonly token?: Redacted.Redacted
  /** Bytes that a body may have; 1 MiB when left out. */
  readonly maxBody?: number
  /** How long requests that are under way may take when the server ends; 2 seconds when left out. */
  readonly drain?: Duration.DurationInput
  /** How many jobs the manager runs at once, for the metrics. */
  readonly maxJobs?: number
  /** What else keeps the server from being ready, in words. */
  readonly problems?: Effect.Effect<ReadonlyArray<string>>
}

/** How often connections that have become idle are looked for while the server ends. */
const pause = 20

/** Lets the requests that are under way come to their end, and then cuts off those that have not. */
const close = (servers: ReadonlyArray<NodeServer>, drain: Duration.DurationInput) =>
  Effect.gen(function* () {
    // Real time: what is waited for is at the other end of a connection.
    const clock = yield* RealClock
    let open = servers.length
    for (const server of servers) server.close(() => (open -= 1))
    const drained = (left: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        for (const server of servers) server.closeIdleConnections()
        return open === 0 || left <= 0 ? Effect.void : Effect.zipRight(clock.sleep(pause), drained(left - pause))
      })
    yield* drained(Duration.toMillis(drain))
    for (const server of servers) server.closeAllConnections()
  })

const bug = new InternalError()
const failed = JSON.stringify({ ...bug, message: bug.message })
const failedHeaders = { "content-type": "application/json", connection: "close" }

const make = (options: Options) =>
  Effect.gen(function* () {
    const { drain = "2 seconds", listen } = options
    const runFork = Runtime.runFork(yield* Effect.runtime<JobManager | RunStore>())
    const requested = yield* Deferred.make<void>()
    const doors = yield* Deferred.make<ReadonlyArray<Door>>()
    // It outlives the requests.
    const life = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))

    const load = Effect.gen(function* () {
      const Loaded = yield* Effect.promise(() => import("./HttpApp.js"))
      const shutdown = Effect.asVoid(Deferred.succeed(requested, undefined))
      const layer = Loaded.layer({ ...options, doors: yield* Deferred.await(doors), shutdown })
      return Context.get(yield* Layer.buildWithScope(layer, life), Loaded.Application)
    })
    const application = yield* Later.make(load)

    /** The first request may be there before what answers it, and before it is known where exactly the server listens. */
    const onRequest = (at: number): RequestListener => {
      let answer: RequestListener | undefined
      return (request, response) =>
        answer === undefined
          ? void runFork(
              Effect.matchCauseEffect(application.get, {
                onFailure: (cause) =>
                  Effect.zipRight(
                    Effect.logError("the server could not be loaded", cause),
                    Effect.sync(() => response.writeHead(500, failedHeaders).end(failed))
                  ),
                onSuccess: ({ listeners }) =>
                  Effect.sync(() => {
                    answer = listeners[at]
                    // The handler would not learn that the client has gone meanwhile.
                    if (!response.destroyed) answer?.(request, response)
                  })
              })
            )
          : answer(request, response)
    }

    const listeners = yield* Effect.forEach(Array.ensure(listen), (address, at) =>
      Listener.listen(address, { ...options, onRequest: onRequest(at) })
    )
    yield* Deferred.succeed(
      doors,
      listeners.map(({ door }) => door)
    )
    const servers = listeners.map(({ server }) => server)
    // Added last, so that it runs first.
    yield* Effect.addFinalizer(() =>
      // Where nobody has asked for anything, nothing is under way.
      application.isWanted()
        ? Effect.zipRight(
            Effect.flatMap(application.get, ({ close }) => close),
            close(servers, drain)
          )
        : close(servers, 0)
    )
    return {
      addresses: listeners.map(({ address }) => address),
      shutdownRequested: Deferred.await(requested),
      prepared: Effect.asVoid(application.get)
    }
  })

/**
 * The same, but it loads what answers with the first request, or when `prepared` is run.
 *
 * @internal
 */
export const listen = (options: Options): Layer.Layer<Server, ListenError, JobManager | RunStore> =>
  Layer.scoped(Server, make(options))

/**
 * Serves the jobs of a manager for as long as the layer lives. Every request is answered, from the first connection on. When the
 * layer closes, the server accepts no more requests, ends the event streams, and lets other requests finish within `drain`.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import { JobManager, Orchestrator, RunStore } from "charlotte"
 * import { JobClient, Server } from "charlotte/http"
 * import { Effect, Layer } from "effect"
 * import { mkdtempSync } from "node:fs"
 *
 * const socket = `${mkdtempSync("/tmp/charlotte-")}/socket`
 * const Jobs = JobManager.layer().pipe(
 *   Layer.provide(Orchestrator.layer(() => Effect.succeed("done"))),
 *   Layer.provideMerge(RunStore.layerMemory)
 * )
 * const ServerLive = Server.layer({ listen: { socket } }).pipe(Layer.provide(Jobs))
 *
 * const program = Effect.flatMap(JobClient.JobClient, (client) => client.health)
 *
 * await Effect.runPromise(program.pipe(Effect.provide(JobClient.layer({ socket })), Effect.provide(ServerLive)))
 */
export const layer = (options: Options): Layer.Layer<Server, ListenError, JobManager | RunStore> =>
  Layer.tap(listen(options), (context) => Context.get(context, Server).prepared)

const starting = new NotReady({ problems: ["the server is starting, or shutting down"] })

/**
 * A server for `NodeHttpServer.layer` of an application. That layer listens as soon as it is built, and Node never answers a
 * request that comes before the application's handler is attached. This server answers it with 503, and `Retry-After`.
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
