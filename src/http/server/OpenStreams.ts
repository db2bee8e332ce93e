/**
 * Registry of open streams: limits their number, knows how far each is behind, and ends them on shutdown.
 */
import { toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Cause, Context, Deferred, Duration, Effect, Layer, type Scope, Stream } from "effect"
import type { ServerResponse } from "node:http"
import { ShuttingDown } from "../../domain/errors.js"
import { RequestRefused } from "../contract/errors.js"
import { awaitTurn } from "./pipelining.js"

export class OpenStreams extends Context.Tag("charlotte/http/OpenStreams")<OpenStreams, Service>() {}

export interface OpenStream {
  /** The cursor of the last event written to the stream; undefined before the first. */
  cursor: number | undefined
  /** Whether the stream has caught up. */
  isCurrent: boolean
}

export interface Service {
  /** Registers a stream for as long as the scope lives; disconnects the client if it stops reading. */
  readonly open: (request: HttpServerRequest) => Effect.Effect<OpenStream, RequestRefused | ShuttingDown, Scope.Scope>
  readonly all: Effect.Effect<ReadonlyArray<OpenStream>>
  readonly hasClosed: Effect.Effect<boolean>
  /** Returns when the server starts to shut down. */
  readonly closed: Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

export interface Options {
  /** Maximum number of open streams; 256 by default. */
  readonly maxStreams?: number
  /** How long a client may read nothing while data is waiting; 30 seconds by default. */
  readonly stall?: Duration.DurationInput
}

/** Checks per timeout. */
const checks = 6

/**
 * Disconnects a client that reads nothing for `timeout`, or up to a sixth longer. Node's socket timer notices progress within a write,
 * but restarts without an event when the last write went out in part. So it is armed for a fraction of the timeout, and fractions
 * without progress are counted.
 */
const slowClientTimeout = (response: ServerResponse, timeout: Duration.DurationInput): Effect.Effect<void> =>
  Effect.map(Effect.clock, (clock) => {
    const timeoutMillis = Duration.toMillis(timeout)
    const step = timeoutMillis / checks
    let since = 0
    let last = { at: 0, progress: "" }
    response.setTimeout(step, () => {
      const { socket } = response
      // Nothing is waiting to be sent: the stream is idle, not stalled.
      if (socket === null || socket.writableLength === 0) return
      const at = clock.unsafeCurrentTimeMillis()
      const progress = `${socket.writableLength} after ${socket.bytesWritten}`
      // The timer fires after a step without progress; a longer interval means progress before that step.
      if (progress !== last.progress || at - last.at > 1.5 * step) since = at - step
      last = { at, progress }
      if (at - since > timeoutMillis - step / 2) response.destroy()
      else socket.setTimeout(step)
    })
  })

const make = ({ maxStreams = 256, stall = "30 seconds" }: Options): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    const all = new Set<OpenStream>()
    const close = Effect.asVoid(Deferred.succeed(closed, undefined))
    yield* Effect.addFinalizer(() => close)

    const register = Effect.suspend((): Effect.Effect<OpenStream, RequestRefused> => {
      if (all.size >= maxStreams) return new RequestRefused({ reason: "limit" })
      const open = { cursor: undefined, isCurrent: false }
      all.add(open)
      return Effect.succeed(open)
    })

    return {
      open: (request) =>
        Effect.gen(function* () {
          yield* awaitTurn(request)
          if (yield* Deferred.isDone(closed)) return yield* new ShuttingDown()
          const open = yield* Effect.acquireRelease(register, (open) => Effect.sync(() => all.delete(open)))
          yield* slowClientTimeout(toServerResponse(request), stall)
          return open
        }),
      all: Effect.sync(() => [...all]),
      hasClosed: Deferred.isDone(closed),
      closed: Deferred.await(closed),
      close
    }
  })

export const layer = (options: Options = {}): Layer.Layer<OpenStreams> => Layer.scoped(OpenStreams, make(options))

/** For errors after the status has been sent: logs them and ends the body. A client that reconnects gets the error. */
export const endOnError = <E>(body: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array> =>
  Stream.catchAllCause(body, (cause) =>
    Cause.isInterruptedOnly(cause)
      ? Stream.fromEffect(Effect.interrupt)
      : Stream.execute(Effect.logError("streaming a response failed", cause))
  )
