/**
 * Events as server-sent events. A stream is a position in the log and what has not gone out yet, so one that nobody reads holds
 * little, and costs whoever writes nothing.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Chunk, type Duration, Effect, Mailbox, Option, Stream } from "effect"
import { JobNotFound } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { JobManager } from "../../manager/JobManager.js"
import * as race from "../../internal/race.js"
import type { RunStore } from "../../store/RunStore.js"
import { contentType, endsJob, positionHeader } from "../contract/Events.js"
import { CursorAhead } from "../contract/errors.js"
import * as Frames from "./sseFrames.js"
import type { Open, Service as Streams } from "./OpenStreams.js"

export interface Options {
  /** How long a stream is silent at the most; 15 seconds when left out. */
  readonly heartbeat?: Duration.DurationInput
}

/**
 * Bytes that are handed over at once, give or take an event. Of a client that takes nothing, one such piece is on its way, one
 * waits, and one is about to.
 */
const pieceSize = 128 * 1024

/** Which events a stream is of. */
interface Source<E> {
  readonly after: (position: number) => Stream.Stream<JobEvent, E>
  /** Where a stream stands after this event. */
  readonly position: (event: JobEvent) => number
  /** What goes out at once of a page. */
  readonly piece: (page: Chunk.NonEmptyChunk<JobEvent>) => Piece
  /** Nothing comes after this event. */
  readonly isLast: (event: JobEvent) => boolean
}

/** Events as they go out together. */
interface Piece {
  readonly bytes: Uint8Array
  readonly last: JobEvent
  /** It holds all of the page that it was made of. */
  readonly whole: boolean
}

export const make = (
  options: Options & {
    readonly kind: string
    readonly manager: JobManager["Type"]
    readonly store: RunStore["Type"]
    readonly streams: Streams
  }
) => {
  const { heartbeat = "15 seconds", kind, manager, store, streams } = options
  const encode = Frames.makeEncoder()

  /** Those who follow the same events are given the same pages, and so the same pieces. */
  const makePieces = (position: (event: JobEvent) => number) => {
    const made = new WeakMap<Chunk.Chunk<JobEvent>, Piece>()
    const make = (page: Chunk.NonEmptyChunk<JobEvent>): Piece => {
      const frames: Array<Uint8Array> = []
      let size = 0
      let last = Chunk.headNonEmpty(page)
      for (const event of page) {
        if (size >= pieceSize) break
        const data = encode(event)
        frames.push(Frames.position(position(event)), data)
        size += data.length
        last = event
      }
      return { bytes: Buffer.concat(frames), last, whole: last === Chunk.lastNonEmpty(page) }
    }
    return (page: Chunk.NonEmptyChunk<JobEvent>): Piece => {
      const known = made.get(page)
      if (known !== undefined) return known
      const piece = make(page)
      made.set(page, piece)
      return piece
    }
  }

  /** Hands over what comes after a position, as fast as it is taken; returns when that was all. */
  const pump = <E>(
    source: Source<E>,
    position: number,
    hand: (piece: Piece) => Effect.Effect<void>
  ): Effect.Effect<void, E> =>
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(source.after(position))
      for (;;) {
        const page = yield* pull
        if (!Chunk.isNonEmpty(page)) continue
        const next = source.piece(page)
        // Of large events, the page is let go: it is read again from where this ends.
        if (!next.whole) return next
        yield* hand(next)
        if (source.isLast(next.last)) return undefined
      }
    }).pipe(
      Effect.scoped,
      Effect.catchAll(Option.match({ onNone: () => Effect.succeed(undefined), onSome: Effect.fail })),
      Effect.flatMap((rest) =>
        rest === undefined ? Effect.void : Effect.zipRight(hand(rest), pump(source, source.position(rest.last), hand))
      )
    )

  const body = <E>(source: Source<E>, open: Open, position: number): Stream.Stream<Uint8Array> =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const pieces = yield* Mailbox.make<Uint8Array>({ capacity: 1 })
        const hand = ({ bytes, last }: Piece) =>
          Effect.suspend(() => {
            open.current = false
            open.cursor = last.cursor
            return Effect.map(pieces.offer(bytes), () => {
              open.current = true
            })
          })

        yield* pieces.offer(Buffer.concat([Frames.opening, Frames.position(position), Frames.blank]))
        yield* race
          .first([
            pump(source, position, hand),
            Effect.asVoid(Effect.zipRight(streams.closed, pieces.offer(Frames.shutdown)))
          ])
          .pipe(
            // The status is on its way already; whoever reads comes back and is told then.
            Effect.catchAll((error) => Effect.logError("an event stream is cut short", error)),
            Effect.ensuring(pieces.end),
            Effect.forkScoped
          )
        // Where something waits already, the client has all the signs of life that it wants.
        yield* Effect.forkScoped(
          Effect.forever(
            Effect.delay(
              Effect.sync(() => pieces.unsafeOffer(Frames.heartbeat)),
              heartbeat
            )
          )
        )
        return Mailbox.toStream(pieces)
      })
    )

  const respond = <E>(source: Source<E>, open: Open, position: number): HttpServerResponse.HttpServerResponse =>
    HttpServerResponse.stream(body(source, open, position), {
      contentType,
      headers: { "cache-control": "no-store", "x-accel-buffering": "no", [positionHeader]: String(position) }
    })

  /** What is known of a position in the log of a job: whether it has been reached, and whether anything may come after. */
  const look = (jobId: JobId, position: number) =>
    Effect.gen(function* () {
      const page = yield* store.events({ kind, jobId, after: Math.max(0, position - 1), limit: 2 })
      if (Option.isNone(page)) return yield* new JobNotFound({ jobId })
      const { ended, events, more } = page.value
      if (position > 0 && events[0]?.seq !== position) return yield* new CursorAhead({ after: position })
      return { over: ended && !more && events.every(({ seq }) => seq <= position) }
    })

  const bySeq = ({ seq }: JobEvent) => seq
  const byCursor = ({ cursor }: JobEvent) => cursor
  const ofJob = { position: bySeq, piece: makePieces(bySeq) }
  const ofAll = { position: byCursor, piece: makePieces(byCursor) }

  return {
    ofJob: (request: HttpServerRequest, id: JobId, position = 0) =>
      Effect.gen(function* () {
        const { over } = yield* look(id, position)
        if (over) return HttpServerResponse.empty({ status: 204 })
        const open = yield* streams.open(request)
        return respond({ ...ofJob, after: (after) => manager.events(id, { after }), isLast: endsJob }, open, position)
      }),

    ofAll: (request: HttpServerRequest, after: number | "latest" = 0) =>
      Effect.gen(function* () {
        const latest = yield* store.latestCursor
        const position = after === "latest" ? latest : after
        if (position > latest) return yield* new CursorAhead({ after: position })
        const open = yield* streams.open(request)
        return respond(
          { ...ofAll, after: (after) => manager.allEvents({ after }), isLast: () => false },
          open,
          position
        )
      })
  }
}
