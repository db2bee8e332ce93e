/**
 * Follows event streams across disconnections and restarts of the server, without gaps or duplicates.
 */
import * as Sse from "@effect/experimental/Sse"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { Chunk, type Duration, Effect, Option, Schedule, Schema, Stream } from "effect"
import type { JobNotFound, ShuttingDown, StoreError } from "../../domain/errors.js"
import { JobEvent } from "../../domain/JobEvent.js"
import { ConnectionFailed, type CursorAhead, type NoSuchKind, UnexpectedAnswer } from "../contract/errors.js"
import { positionHeader } from "../contract/Events.js"
import type { Connection } from "./Connection.js"
import { decodeEventsError } from "./decodeErrorResponse.js"
import * as ClientError from "./ClientError.js"

/**
 * Errors of event streams.
 *
 * @since 0.1.0
 * @category errors
 */
export type FollowError = ClientError.ClientError | CursorAhead | JobNotFound | NoSuchKind | ShuttingDown | StoreError

export interface FollowOptions {
  readonly connection: Connection
  readonly path: string
  readonly query?: { readonly [name: string]: string }
  readonly after: number | "latest"
  /** Whether this is the last event of the stream. */
  readonly isLast: (event: JobEvent) => boolean
  /** How long to try to reconnect. */
  readonly patience: Duration.DurationInput
  /** Called when a connection is lost and will be reopened, and when it is back. */
  readonly onConnection: (state: "lost" | "back") => Effect.Effect<void>
}

/** Longer than the server's heartbeat interval. */
const readTimeout = "45 seconds"

const decode = Schema.decode(Schema.parseJson(JobEvent))

interface Received {
  readonly event: JobEvent
  readonly position: number
}

/** Whether to reconnect. The limit on streams is temporary only for a client that already had a stream. */
const isTemporary = (error: FollowError, opened: boolean): boolean => {
  switch (error._tag) {
    case "ConnectionFailed":
    case "DaemonNotRunning":
    case "ShuttingDown":
      return true
    case "RequestRefused":
      return opened && error.reason === "limit"
    case "StoreError":
      return error.reason === "busy" || error.reason === "unreachable" || error.reason === "closed"
    default:
      return false
  }
}

const decodeFrames = (address: string, frames: ReadonlyArray<Sse.AnyEvent>) =>
  Effect.forEach(
    frames.filter((frame) => frame._tag === "Event"),
    ({ data, event, id }): Effect.Effect<Received, FollowError> =>
      event === "shutdown"
        ? closed(address)
        : Effect.mapBoth(decode(data), {
            onFailure: (error) => new UnexpectedAnswer({ address, problem: ClientError.firstIssue(error) }),
            onSuccess: (event) => ({ position: Number(id), event })
          })
  )

const closed = (address: string) => new ConnectionFailed({ address, problem: "closed by the server" })

const positionOf = ({ headers }: HttpClientResponse): number | undefined =>
  Option.getOrUndefined(Option.map(Headers.get(headers, positionHeader), Number))

/** Events of one response up to the last one; fails if the response ends before it. */
const read = (address: string, response: HttpClientResponse, isLast: (event: JobEvent) => boolean) => {
  const frames: Array<Sse.AnyEvent> = []
  const parser = Sse.makeParser((frame) => frames.push(frame))
  const parse = (lines: Chunk.Chunk<string>) =>
    Effect.suspend(() => {
      for (const line of lines) {
        // Line by line: the parser of @effect/experimental 0.61 scans its whole input again for each line in it.
        const error = parser.feed(`${line}\n`)
        if (error !== undefined) return new UnexpectedAnswer({ address, problem: error.message })
      }
      return Effect.map(decodeFrames(address, frames.splice(0)), Chunk.unsafeFromArray)
    })
  return response.stream.pipe(
    Stream.mapError(ClientError.translate(address)),
    // Heartbeats count as data.
    Stream.timeoutFail(() => ClientError.noResponse(address, readTimeout), readTimeout),
    Stream.decodeText(),
    Stream.splitLines,
    Stream.mapChunksEffect(parse),
    Stream.concat(Stream.fail(closed(address))),
    Stream.takeUntil(({ event }) => isLast(event))
  )
}

export const follow = ({
  after,
  connection: { address, client },
  isLast,
  onConnection,
  path,
  patience,
  query = {}
}: FollowOptions): Stream.Stream<JobEvent, FollowError> =>
  Stream.suspend(() => {
    const scoped = HttpClient.withScope(client)
    /** Position of the last event delivered; the next connection resumes after it. */
    let position = after
    /** Whether any connection was accepted; if so, the server may come back. */
    let reached = false
    /** Whether any stream was opened; if so, a later refusal is temporary. */
    let opened = false
    let isLost = false

    const notify = (state: "lost" | "back") =>
      Effect.suspend(() => {
        if (isLost === (state === "lost")) return Effect.void
        isLost = !isLost
        return onConnection(state)
      })

    const connect = Stream.unwrapScoped(
      Effect.gen(function* () {
        const response = yield* scoped.get(path, { urlParams: { ...query, after: position } }).pipe(
          Effect.mapError(ClientError.translate(address)),
          Effect.tapError((error) =>
            Effect.sync(() => {
              // The connection was accepted and then dropped.
              reached ||= error._tag === "ConnectionFailed" && error.problem === "ECONNRESET"
            })
          ),
          ClientError.withTimeout(address, readTimeout)
        )
        reached = true
        // The job has ended and there is nothing after the position.
        if (response.status === 204) return Stream.empty
        if (response.status !== 200) return yield* decodeEventsError(address, response)
        opened = true
        position = positionOf(response) ?? position
        yield* notify("back")
        const received = Stream.tap(read(address, response, isLast), (received) =>
          Effect.sync(() => {
            position = received.position
          })
        )
        // An element that resets the retry schedule to its shortest delay.
        return Stream.concat(
          Stream.make(Option.none<JobEvent>()),
          Stream.map(received, ({ event }) => Option.some(event))
        )
      })
    )

    const backoff = Schedule.exponential("50 millis").pipe(
      Schedule.either(Schedule.spaced("5 seconds")),
      Schedule.jittered,
      Schedule.upTo(patience),
      Schedule.whileInput((error: FollowError) => reached && isTemporary(error, opened))
    )
    const attempt = Stream.tapError(connect, (error) =>
      reached && isTemporary(error, opened) ? notify("lost") : Effect.void
    )
    return Stream.filterMap(Stream.retry(attempt, backoff), (event) => event)
  })
