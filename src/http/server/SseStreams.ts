/**
 * Event streams as server-sent events. A stream is a position in the log and a small buffer, so a client that stops reading costs
 * little memory and never slows down the writer.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Chunk, type Duration, Effect, Mailbox, Option, Stream } from "effect"
import { JobNotFound } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import * as background from "../../internal/background.js"
import * as race from "../../internal/race.js"
import { contentType, endsJob, positionHeader } from "../contract/Events.js"
import { CursorAhead } from "../contract/errors.js"
import type { AnyManager } from "../contract/Kinds.js"
import * as sseFrames from "./sseFrames.js"
import type { Service as Managers } from "./Managers.js"
import type { OpenStream, Service as OpenStreams } from "./OpenStreams.js"

export interface Options {
  /** Interval of heartbeat comments; 15 seconds by default. */
  readonly heartbeat?: Duration.DurationInput
}

/** Bytes per write, rounded up to a whole event. A client that stops reading holds up to three: sent, buffered, and next. */
const chunkSize = 128 * 1024

/** The events of a stream, of one job or of all. */
interface Source<E> {
  readonly after: (position: number) => Stream.Stream<JobEvent, E>
  /** The `seq` or `cursor` of an event. */
  readonly position: (event: JobEvent) => number
  /** The first write of a page. */
  readonly encodePage: (page: Chunk.NonEmptyChunk<JobEvent>) => EncodedEvents
  /** Whether the stream ends after this event. */
  readonly isLast: (event: JobEvent) => boolean
}

/** Encoded events that are written together. */
interface EncodedEvents {
  readonly bytes: Uint8Array
  readonly last: JobEvent
  /** Whether it holds the whole page. */
  readonly isWholePage: boolean
}

export const make = <M extends Pick<AnyManager, "events">>(
  options: Options & {
    readonly managers: Managers<M>
    readonly streams: OpenStreams
  }
) => {
  const { heartbeat = "15 seconds", managers, streams } = options
  const { store } = managers

  /** Subscribers to the same events get the same pages, which are encoded once. */
  const makePageEncoder = (position: (event: JobEvent) => number) => {
    const cache = new WeakMap<Chunk.Chunk<JobEvent>, EncodedEvents>()
    const encodePage = (page: Chunk.NonEmptyChunk<JobEvent>): EncodedEvents => {
      const frames: Array<Uint8Array> = []
      let size = 0
      let last = Chunk.headNonEmpty(page)
      for (const event of page) {
        if (size >= chunkSize) break
        const data = sseFrames.data(event)
        frames.push(sseFrames.position(position(event)), data)
        size += data.length
        last = event
      }
      return { bytes: Buffer.concat(frames), last, isWholePage: last === Chunk.lastNonEmpty(page) }
    }
    return (page: Chunk.NonEmptyChunk<JobEvent>): EncodedEvents => {
      const known = cache.get(page)
      if (known !== undefined) return known
      const encoded = encodePage(page)
      cache.set(page, encoded)
      return encoded
    }
  }

  /** Writes the events after a position, at the pace of the client; returns after the last one. */
  const pump = <E>(
    source: Source<E>,
    position: number,
    write: (events: EncodedEvents) => Effect.Effect<void>
  ): Effect.Effect<void, E> =>
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(source.after(position))
      for (;;) {
        const page = yield* pull
        if (!Chunk.isNonEmpty(page)) continue
        const next = source.encodePage(page)
        // Large events: the rest of the page is read again, so that a slow client does not retain it.
        if (!next.isWholePage) return next
        yield* write(next)
        if (source.isLast(next.last)) return undefined
      }
    }).pipe(
      Effect.scoped,
      Effect.catchAll(Option.match({ onNone: () => Effect.succeed(undefined), onSome: Effect.fail })),
      Effect.flatMap((rest) =>
        rest === undefined ? Effect.void : Effect.zipRight(write(rest), pump(source, source.position(rest.last), write))
      )
    )

  const body = <E>(source: Source<E>, open: OpenStream, position: number): Stream.Stream<Uint8Array> =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const mailbox = yield* Mailbox.make<Uint8Array>({ capacity: 1 })
        const write = ({ bytes, last }: EncodedEvents) =>
          Effect.suspend(() => {
            open.isCurrent = false
            open.cursor = last.cursor
            return Effect.map(mailbox.offer(bytes), () => {
              open.isCurrent = true
            })
          })

        yield* mailbox.offer(Buffer.concat([sseFrames.opening, sseFrames.position(position), sseFrames.blank]))
        yield* race
          .first([
            pump(source, position, write),
            Effect.asVoid(Effect.zipRight(streams.closed, mailbox.offer(sseFrames.shutdown)))
          ])
          .pipe(
            // The status has been sent; a client that reconnects gets the error.
            Effect.catchAll((error) => Effect.logError("an event stream failed", error)),
            Effect.ensuring(mailbox.end),
            background.fork
          )
        // Dropped when the buffer is full: then data is waiting anyway.
        yield* background.fork(
          Effect.forever(
            Effect.delay(
              Effect.sync(() => mailbox.unsafeOffer(sseFrames.heartbeat)),
              heartbeat
            )
          )
        )
        return Mailbox.toStream(mailbox)
      })
    )

  const respond = <E>(source: Source<E>, open: OpenStream, position: number): HttpServerResponse.HttpServerResponse =>
    HttpServerResponse.stream(body(source, open, position), {
      contentType,
      headers: { "cache-control": "no-store", "x-accel-buffering": "no", [positionHeader]: String(position) }
    })

  /** Checks that a position exists in the log of a job, and whether it is the end of an ended job. */
  const checkPosition = (kind: string, jobId: JobId, position: number) =>
    Effect.gen(function* () {
      const page = yield* store.events({ kind, jobId, after: Math.max(0, position - 1), limit: 2 })
      if (Option.isNone(page)) return yield* new JobNotFound({ jobId })
      const { ended, events, more } = page.value
      if (position > 0 && events[0]?.seq !== position) return yield* new CursorAhead({ after: position })
      return { isEnd: ended && !more && events.every(({ seq }) => seq <= position) }
    })

  const bySeq = ({ seq }: JobEvent) => seq
  const byCursor = ({ cursor }: JobEvent) => cursor
  const ofJob = { position: bySeq, encodePage: makePageEncoder(bySeq) }
  const ofAll = { position: byCursor, encodePage: makePageEncoder(byCursor) }

  return {
    ofJob: (request: HttpServerRequest, id: JobId, position = 0) =>
      Effect.gen(function* () {
        const { kind, manager } = yield* managers.ofJob(id)
        const { isEnd } = yield* checkPosition(kind, id, position)
        if (isEnd) return HttpServerResponse.empty({ status: 204 })
        const open = yield* streams.open(request)
        return respond({ ...ofJob, after: (after) => manager.events(id, { after }), isLast: endsJob }, open, position)
      }),

    ofAll: (request: HttpServerRequest, kind: string | undefined, after: number | "latest" = 0) =>
      Effect.gen(function* () {
        const events = managers.events(yield* managers.ofKind(kind))
        const latest = yield* store.latestCursor
        const position = after === "latest" ? latest : after
        if (position > latest) return yield* new CursorAhead({ after: position })
        const open = yield* streams.open(request)
        return respond({ ...ofAll, after: events, isLast: () => false }, open, position)
      })
  }
}
