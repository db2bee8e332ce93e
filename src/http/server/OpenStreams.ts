/**
 * The answers that stay open: how many there are, how far behind they are, and how they come to their end.
 */
import { toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Cause, Context, Deferred, type Duration, Effect, Layer, type Scope, Stream } from "effect"
import { ShuttingDown } from "../../domain/errors.js"
import { RequestRefused } from "../contract/errors.js"
import { awaitTurn } from "./pipelining.js"
import * as Stall from "./slowClientTimeout.js"

export class Streams extends Context.Tag("charlotte/http/Streams")<Streams, Service>() {}

/** One that is open. */
export interface Open {
  /** The cursor of the event that was handed over last; nothing while there is none. */
  cursor: number | undefined
  /** It has all that there is. */
  current: boolean
}

export interface Service {
  /** Takes one of the places, for as long as the request lasts; when the client takes nothing for too long, it is cut off. */
  readonly open: (request: HttpServerRequest) => Effect.Effect<Open, RequestRefused | ShuttingDown, Scope.Scope>
  readonly all: Effect.Effect<ReadonlyArray<Open>>
  readonly hasClosed: Effect.Effect<boolean>
  /** Returns when the server begins to end. */
  readonly closed: Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

export interface Options {
  /** How many may be open at once; 256 when left out. */
  readonly maxStreams?: number
  /** How long a client may take nothing of what is there for it; 30 seconds when left out. */
  readonly stall?: Duration.DurationInput
}

const make = ({ maxStreams = 256, stall = "30 seconds" }: Options): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    const all = new Set<Open>()
    const close = Effect.asVoid(Deferred.succeed(closed, undefined))
    yield* Effect.addFinalizer(() => close)

    const take = Effect.suspend((): Effect.Effect<Open, RequestRefused> => {
      if (all.size >= maxStreams) return new RequestRefused({ reason: "limit" })
      const open = { cursor: undefined, current: false }
      all.add(open)
      return Effect.succeed(open)
    })

    return {
      open: (request) =>
        Effect.gen(function* () {
          yield* awaitTurn(request)
          if (yield* Deferred.isDone(closed)) return yield* new ShuttingDown()
          const open = yield* Effect.acquireRelease(take, (open) => Effect.sync(() => all.delete(open)))
          yield* Stall.cutOff(toServerResponse(request), stall)
          return open
        }),
      all: Effect.sync(() => [...all]),
      hasClosed: Deferred.isDone(closed),
      closed: Deferred.await(closed),
      close
    }
  })

export const layer = (options: Options = {}): Layer.Layer<Streams> => Layer.scoped(Streams, make(options))

/**
 * What goes wrong when the status is on its way already: the answer ends early, and whoever reads it comes back and is told
 * then.
 */
export const cutShort = <E>(body: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array> =>
  Stream.catchAllCause(body, (cause) =>
    Cause.isInterruptedOnly(cause)
      ? Stream.fromEffect(Effect.interrupt)
      : Stream.execute(Effect.logError("an answer was cut short", cause))
  )
