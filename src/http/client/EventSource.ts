/**
 * Following event streams, over disconnections and restarts of the server, without a gap and without a repetition.
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import { type Duration, Effect, Option, Schedule, Schema, Stream } from "effect"
import type { IncomingMessage } from "node:http"
import type { JobNotFound, ShuttingDown, StoreError } from "../../domain/errors.js"
import { JobEvent } from "../../domain/JobEvent.js"
import { ConnectionFailed, type CursorAhead, UnexpectedAnswer } from "../contract/errors.js"
import type { Connection } from "./Connection.js"
import * as FrameReader from "./FrameReader.js"
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
  /** How long to try to connect again. */
  readonly patience: Duration.DurationInput
  /** Told of each connection that is lost and is to be made again, and when it is. */
  readonly onConnection: (state: "lost" | "back") => Effect.Effect<void>
}

/** Longer than the pauses between the signs of life of a server. */
const silence = "45 seconds"

const decode = Schema.decode(Schema.parseJson(JobEvent))

/** It may be gone the next time; who has not begun is rather told that there is no room. */
const passes = (error: FollowError, opened: boolean): boolean => {
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

export const follow = ({
  after,
  connection,
  isLast,
  onConnection,
  path,
  patience
}: Following): Stream.Stream<JobEvent, FollowError> =>
  Stream.suspend(() => {
    const { address } = connection
    /** Where to go on: after what has been handed over. */
    let position = after
    /** The server was there: it may come back. */
    let reached = false
    /** It has sent something: what is refused now was not before. */
    let opened = false
    let isLost = false

    const tell = (state: "lost" | "back") =>
      Effect.suspend(() => {
        if (isLost === (state === "lost")) return Effect.void
        isLost = !isLost
        return onConnection(state)
      })

    const closed = new ConnectionFailed({ address, problem: "it was closed" })
    const silent = Trouble.silent(address, silence)

    const toEvent = (frame: FrameReader.Frame): Effect.Effect<Option.Option<JobEvent>, FollowError> => {
      if (frame.id !== "") position = Number(frame.id)
      if (frame.event === "shutdown") return closed
      if (frame.data === "") return Effect.succeedNone
      return Effect.mapBoth(decode(frame.data), {
        onFailure: (error) => new UnexpectedAnswer({ address, problem: Trouble.problemOf(error) }),
        onSuccess: Option.some
      })
    }

    const events = (response: IncomingMessage): Stream.Stream<Option.Option<JobEvent>, FollowError> => {
      const read = FrameReader.make()
      return NodeStream.fromReadable<FollowError, Uint8Array>(
        () => response,
        (cause) => Trouble.fromNode(address, cause)
      ).pipe(
        Stream.timeoutFail(() => silent, silence),
        Stream.mapConcat(read),
        Stream.mapEffect(toEvent),
        // Only the last event is an end.
        Stream.concat(Stream.fail(closed)),
        Stream.takeUntil(Option.exists(isLast))
      )
    }

    const connect = Stream.unwrapScoped(
      Effect.gen(function* () {
        const request = connection.open({ method: "GET", path: `${path}?after=${position}` })
        const response = yield* Effect.mapError(request, (cause) => {
          const trouble = Trouble.fromNode(address, cause)
          // Somebody took the connection, and let it go.
          reached ||= trouble._tag === "ConnectionFailed" && trouble.problem === "ECONNRESET"
          return trouble
        }).pipe(Trouble.inTime(address, silence))
        reached = true
        // Nothing comes after what was seen.
        if (response.statusCode === 204) return Stream.empty
        if (response.statusCode !== 200) return yield* Refusal.ofEvents(address, response)
        opened = true
        yield* tell("back")
        // An element of its own, so that the pauses begin anew.
        return Stream.concat(Stream.make(Option.none<JobEvent>()), events(response))
      })
    )

    const pauses = Schedule.exponential("50 millis").pipe(
      Schedule.either(Schedule.spaced("5 seconds")),
      Schedule.jittered,
      Schedule.upTo(patience),
      Schedule.whileInput((error: FollowError) => reached && passes(error, opened))
    )
    const attempt = Stream.tapError(connect, (error) => (reached && passes(error, opened) ? tell("lost") : Effect.void))
    return Stream.filterMap(Stream.retry(attempt, pauses), (event) => event)
  })
