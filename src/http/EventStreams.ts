/**
 * Events as server-sent events. A stream is a position in the log and what has not gone out yet, so one that nobody reads holds
 * little, and costs whoever writes nothing.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Chunk, type Duration, Effect, Option, Stream } from "effect"
import { JobNotFound } from "../domain/errors.js"
import type { JobEvent } from "../domain/JobEvent.js"
import type { JobId } from "../domain/JobId.js"
import type { JobManager } from "../manager/JobManager.js"
import type { RunStore } from "../store/RunStore.js"
import { contentType, endsJob } from "./contract/Events.js"
import { CursorAhead } from "./errors.js"
import * as Frames from "./Frames.js"
import { cutShort, type Open, type Service as Streams } from "./Streams.js"

export interface Options {
  /** How long a stream is silent at the most; 15 seconds when left out. */
  readonly heartbeat?: Duration.DurationInput
}

/** Bytes that are handed over at once, give or take an event: one such piece may be on its way and one wait behind it. */
const pieceSize = 256 * 1024

/** Which events a stream is of. */
interface Source<E> {
  readonly after: (position: number) => Stream.Stream<JobEvent, E>
  /** Where a stream stands after this event. */
  readonly position: (event: JobEvent) => number
  /** Nothing comes after this event. */
  readonly isLast: (event: JobEvent) => boolean
}

/** What goes out next, and the position after it; none when it is the last. */
type Step = readonly [frames: Chunk.Chunk<Uint8Array>, position: Option.Option<number>]

const last = (...frames: ReadonlyArray<Uint8Array>): Step => [Chunk.unsafeFromArray(frames), Option.none()]

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

  /** As many of these events as make a piece. */
  const piece = <E>(source: Source<E>, open: Open, events: Iterable<JobEvent>): Step => {
    const frames: Array<Uint8Array> = []
    let size = 0
    let latest: JobEvent | undefined
    for (const event of events) {
      if (size >= pieceSize) break
      const data = encode(event)
      frames.push(Frames.position(source.position(event)), data)
      size += data.length
      latest = event
    }
    if (latest === undefined) return last()
    open.cursor = latest.cursor
    open.current = false
    return source.isLast(latest)
      ? last(...frames)
      : [Chunk.unsafeFromArray(frames), Option.some(source.position(latest))]
  }

  /**
   * The next piece after a position, however long that takes. The subscription ends with it: what waits for a client is this
   * piece, and not the page of events that it was taken from.
   */
  const next = <E>(source: Source<E>, open: Open, position: number): Effect.Effect<Step, E> =>
    Effect.suspend(() => {
      open.current = true
      const page = Stream.runHead(Stream.chunks(source.after(position)))
      return Effect.raceFirst(
        Effect.map(page, (page) => piece(source, open, Option.getOrElse(page, Chunk.empty<JobEvent>))),
        Effect.as(streams.closed, last(Frames.shutdown))
      )
    })

  const heartbeats = Stream.repeatEffect(Effect.as(Effect.sleep(heartbeat), Frames.heartbeat))

  const respond = <E>(source: Source<E>, open: Open, position: number): HttpServerResponse.HttpServerResponse => {
    const frames = Stream.paginateChunkEffect(position, (position) => next(source, open, position)).pipe(
      Stream.merge(heartbeats, { haltStrategy: "left" }),
      cutShort
    )
    return HttpServerResponse.stream(
      Stream.concat(Stream.make(Frames.opening, Frames.position(position), Frames.blank), frames),
      {
        contentType,
        headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
      }
    )
  }

  /** What is known of a position in the log of a job: whether it has been reached, and whether anything may come after. */
  const look = (jobId: JobId, position: number) =>
    Effect.gen(function* () {
      const page = yield* store.events({ kind, jobId, after: Math.max(0, position - 1), limit: 2 })
      if (Option.isNone(page)) return yield* new JobNotFound({ jobId })
      const { ended, events } = page.value
      if (position > 0 && events[0]?.seq !== position) return yield* new CursorAhead({ after: position })
      return { over: ended && events.every(({ seq }) => seq <= position) }
    })

  return {
    ofJob: (request: HttpServerRequest, id: JobId, position = 0) =>
      Effect.gen(function* () {
        const { over } = yield* look(id, position)
        if (over) return HttpServerResponse.empty({ status: 204 })
        const open = yield* streams.open(request)
        return respond(
          { after: (after) => manager.events(id, { after }), position: ({ seq }) => seq, isLast: endsJob },
          open,
          position
        )
      }),

    ofAll: (request: HttpServerRequest, after: number | "latest" = 0) =>
      Effect.gen(function* () {
        const latest = yield* store.latestCursor
        const position = after === "latest" ? latest : after
        if (position > latest) return yield* new CursorAhead({ after: position })
        const open = yield* streams.open(request)
        return respond(
          { after: (after) => manager.allEvents({ after }), position: ({ cursor }) => cursor, isLast: () => false },
          open,
          position
        )
      })
  }
}
