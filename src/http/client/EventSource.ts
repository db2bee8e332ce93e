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
import { ConnectionFailed, type CursorAhead, UnexpectedAnswer } from "../contract/errors.js"
import { positionHeader } from "../contract/Events.js"
import type { Connection } from "./Connection.js"
import * as Refusal from "./decodeErrorResponse.js"
import * as Trouble from "./ClientError.js"

/** @since 0.1.0 */
export type FollowError = Trouble.ClientError | CursorAhead | JobNotFound | ShuttingDown | StoreError

export interface Following {
  readonly connection: Connection
  readonly path: string
  readonly after: number | "latest"
  /** Nothing comes after this event. */
  readonly isLast: (event: JobEvent) => boolean
  /** How long to try to reconnect. */
  readonly patience: Duration.DurationInput
  /** Called when a connection is lost and will be reopened, and when it is back. */
  readonly onConnection: (state: "lost" | "back") => Effect.Effect<void>
}

/** Longer than the pauses between the heartbeats of a server. */
const silence = "45 seconds"

const decode = Schema.decode(Schema.parseJson(JobEvent))

interface Received {
  readonly event: JobEvent
  readonly position: number
}

/** Whether to reconnect. A client without a stream so far fails when there are too many of them. */
const isTemporary = (error: FollowError, opened: boolean): boolean => {
  switch (error._tag) {
    case "ConnectionFailed":
    case "DaemonNotRunning":
    case "ShuttingDown":
      return true
    case "RequestRefused":
      return opened && error.reason === "limit"
    case "StoreError":
      return error.reason === "busy" || error.reason === "closed"
    default:
      return false
  }
}

/** The events of frames. */
const decodeFrames = (address: string, frames: ReadonlyArray<Sse.AnyEvent>) =>
  Effect.forEach(
    frames.filter((frame) => frame._tag === "Event"),
    ({ data, event, id }): Effect.Effect<Received, FollowError> =>
      event === "shutdown"
        ? closed(address)
        : Effect.mapBoth(decode(data), {
            onFailure: (error) => new UnexpectedAnswer({ address, problem: Trouble.problemOf(error) }),
            onSuccess: (event) => ({ position: Number(id), event })
          })
  )

const closed = (address: string) => new ConnectionFailed({ address, problem: "it was closed" })

const positionOf = ({ headers }: HttpClientResponse): number | undefined =>
  Option.getOrUndefined(Option.map(Headers.get(headers, positionHeader), Number))

/** What one response sends, until the last event; it fails when the server ends it before that. */
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
    Stream.mapError(Trouble.translate(address)),
    // Heartbeats are data, too.
    Stream.timeoutFail(() => Trouble.silent(address, silence), silence),
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
  patience
}: Following): Stream.Stream<JobEvent, FollowError> =>
  Stream.suspend(() => {
    const scoped = HttpClient.withScope(client)
    /** Where the next connection continues: after what was delivered. */
    let position = after
    /** Whether any connection was accepted: the server may come back. */
    let reached = false
    /** Whether any stream was opened: a later refusal is temporary. */
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
        const response = yield* scoped.get(path, { urlParams: { after: position } }).pipe(
          Effect.mapError(Trouble.translate(address)),
          Effect.tapError((error) =>
            Effect.sync(() => {
              // The connection was accepted, then dropped.
              reached ||= error._tag === "ConnectionFailed" && error.problem === "ECONNRESET"
            })
          ),
          Trouble.inTime(address, silence)
        )
        reached = true
        // Nothing follows the position.
        if (response.status === 204) return Stream.empty
        if (response.status !== 200) return yield* Refusal.ofEvents(address, response)
        opened = true
        position = positionOf(response) ?? position
        yield* notify("back")
        const received = Stream.tap(read(address, response, isLast), (received) =>
          Effect.sync(() => {
            position = received.position
          })
        )
        // An element of its own, so that the pauses start from the shortest again.
        return Stream.concat(
          Stream.make(Option.none<JobEvent>()),
          Stream.map(received, ({ event }) => Option.some(event))
        )
      })
    )

    const pauses = Schedule.exponential("50 millis").pipe(
      Schedule.either(Schedule.spaced("5 seconds")),
      Schedule.jittered,
      Schedule.upTo(patience),
      Schedule.whileInput((error: FollowError) => reached && isTemporary(error, opened))
    )
    const attempt = Stream.tapError(connect, (error) =>
      reached && isTemporary(error, opened) ? notify("lost") : Effect.void
    )
    return Stream.filterMap(Stream.retry(attempt, pauses), (event) => event)
  })
