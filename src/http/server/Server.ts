/**
 * The server: the handlers of the contract behind one or more addresses.
 *
 * @since 0.1.0
 */
import type { RequestListener, Server as NodeServer } from "node:http"
import { Array, Context, Deferred, Duration, Effect, Exit, Layer, type Redacted, Runtime, Scope } from "effect"
import type { JobManager } from "../../manager/JobManager.js"
import * as Later from "../../internal/Later.js"
import type { RunStore } from "../../store/RunStore.js"
import { RealClock } from "../../internal/RealClock.js"
import type { CannotListen } from "./ListenError.js"
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
              Effect.map(application.get, ({ listeners }) => {
                answer = listeners[at]
                // Who has gone meanwhile is not answered: nothing would tell the handler of it.
                if (!response.destroyed) answer?.(request, response)
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

/** Listens from the beginning, and loads what answers with the first request, or when it is told to. */
export const listen = (options: Options): Layer.Layer<Server, CannotListen, JobManager | RunStore> =>
  Layer.scoped(Server, make(options))

/**
 * Serves the jobs of a manager, for as long as the layer lives. When it ends it takes no more requests, ends the event streams,
 * and gives those that are under way a moment.
 *
 * @since 0.1.0
 */
export const serve = (options: Options): Layer.Layer<Server, CannotListen, JobManager | RunStore> =>
  Layer.tap(listen(options), (context) => Context.get(context, Server).prepared)
