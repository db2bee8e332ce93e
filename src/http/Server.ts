/**
 * The server: the handlers of the contract behind one or more addresses.
 *
 * @since 0.1.0
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type { Server as NodeServer } from "node:http"
import { Array, Context, Deferred, Duration, Effect, Layer, type Redacted } from "effect"
import { ShuttingDown } from "../domain/errors.js"
import type { JobManager } from "../manager/JobManager.js"
import type { RunStore } from "../store/RunStore.js"
import { WallClock } from "../store/WallClock.js"
import * as Answers from "./Answers.js"
import { Api } from "./Api.js"
import * as Body from "./Body.js"
import * as DaemonHandlers from "./DaemonHandlers.js"
import * as Docs from "./Docs.js"
import type { CannotListen } from "./errors.js"
import * as Guard from "./Guard.js"
import * as Handlers from "./Handlers.js"
import * as Listener from "./Listener.js"
import * as Metrics from "./Metrics.js"
import * as Streams from "./Streams.js"

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

/** For people and programs that want to know what there is to ask for. */
const documents = HttpApiBuilder.Router.use((router) =>
  Effect.zipRight(
    router.get(
      "/openapi.json",
      Effect.sync(() => HttpServerResponse.unsafeJson(OpenApi.fromApi(Api)))
    ),
    router.get(
      "/docs",
      Effect.sync(() =>
        HttpServerResponse.text(Docs.page(OpenApi.fromApi(Api)), {
          contentType: "text/html; charset=utf-8",
          headers: { "content-security-policy": Docs.policy }
        })
      )
    )
  )
)

/** How often connections that have become idle are looked for while the server ends. */
const pause = 20

/** Lets the requests that are under way come to their end, and then cuts off those that have not. */
const close = (servers: ReadonlyArray<NodeServer>, drain: Duration.DurationInput) =>
  Effect.gen(function* () {
    // Real time: what is waited for is at the other end of a connection.
    const clock = yield* WallClock
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

const make = (options: Options, shutdownRequested: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const api = yield* HttpApiBuilder.httpApp
    const streams = yield* Streams.Streams
    const { drain = "2 seconds", listen, maxBody = Body.defaultMaxBody } = options

    const lastOfConnection = (response: HttpServerResponse.HttpServerResponse) =>
      Effect.map(streams.hasClosed, (closed) =>
        closed ? HttpServerResponse.setHeader(response, "connection", "close") : response
      )

    const app = (door: Deferred.Deferred<Guard.Check>) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest
        const check = yield* Deferred.await(door)
        yield* check(request)
        if (yield* streams.hasClosed) return yield* new ShuttingDown()
        return yield* api
      }).pipe(Effect.provideService(Body.MaxBody, maxBody), Answers.always, Effect.flatMap(lastOfConnection))

    const listeners = yield* Effect.forEach(Array.ensure(listen), (address) =>
      Effect.gen(function* () {
        const door = yield* Deferred.make<Guard.Check>()
        const onRequest = yield* NodeHttpServer.makeHandler(app(door))
        const listener = yield* Listener.listen(address, { ...options, onRequest })
        yield* Deferred.succeed(door, Guard.make(listener.door))
        return listener
      })
    )
    const servers = listeners.map(({ server }) => server)
    // Added last, so that it runs first.
    yield* Effect.addFinalizer(() => Effect.zipRight(streams.close, close(servers, drain)))
    const addresses = listeners.map(({ address }) => address)
    return { addresses, shutdownRequested }
  })

/**
 * Serves the jobs of a manager, for as long as the layer lives. When it ends it takes no more requests, ends the event streams,
 * and gives those that are under way a moment.
 *
 * @since 0.1.0
 */
export const serve = (options: Options): Layer.Layer<Server, CannotListen, JobManager | RunStore> => {
  const { maxJobs, problems = Effect.succeed([]) } = options
  return Layer.unwrapEffect(
    Effect.map(Deferred.make<void>(), (requested) => {
      const control = Layer.succeed(DaemonHandlers.Control, {
        problems,
        shutdown: Effect.asVoid(Deferred.succeed(requested, undefined))
      })
      return Layer.scoped(Server, make(options, Deferred.await(requested))).pipe(
        Layer.provide([HttpApiBuilder.api(Api), documents]),
        Layer.provide([Handlers.groups(Api, options), DaemonHandlers.layer]),
        Layer.provide([control, Metrics.layer({ maxJobs })]),
        Layer.provide(Streams.layer(options)),
        Layer.provide([HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer, NodeHttpServer.layerContext]),
        // Its routes are its own: another server in the same application has another router.
        Layer.fresh
      )
    })
  )
}
