/** A reader of event streams that knows nothing of the client: what goes over the wire is what is looked at. */
import { Effect, type Scope, Stream } from "effect"
import type { IncomingMessage } from "node:http"
import { connect, type Socket } from "node:net"
import * as requests from "./requests.js"

export interface Frame {
  readonly id: number | undefined
  readonly event: string | undefined
  readonly data: string | undefined
  readonly comment: string | undefined
}

const fieldOf = (lines: ReadonlyArray<string>, name: string): string | undefined =>
  lines
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trimStart()

export const parse = (text: string): Frame => {
  const lines = text.split("\n")
  const id = fieldOf(lines, "id")
  return {
    id: id === undefined ? undefined : Number(id),
    event: fieldOf(lines, "event"),
    data: fieldOf(lines, "data"),
    comment: fieldOf(lines, "")
  }
}

export const frames = (response: IncomingMessage): Stream.Stream<Frame> => {
  let rest = ""
  return Stream.fromAsyncIterable<Buffer, unknown>(response, (error) => error).pipe(
    Stream.mapConcat((piece) => {
      const complete = (rest + piece.toString("utf8")).split("\n\n")
      rest = complete.pop() ?? ""
      return complete.map(parse)
    }),
    // Cut off: what has come has come.
    Stream.catchAll(() => Stream.empty)
  )
}

/** An answer and its frames, if it is a stream. */
export const open = (
  where: requests.Where,
  path: string,
  headers: { readonly [name: string]: string } = {}
): Effect.Effect<{ readonly status: number; readonly frames: Stream.Stream<Frame> }, never, Scope.Scope> =>
  Effect.map(requests.open(where, { path: `/api/v1${path}`, headers }), (response) => ({
    status: response.statusCode ?? 0,
    frames: frames(response)
  }))

/** Those that are events of jobs. */
export const events = (frames: Stream.Stream<Frame>): Stream.Stream<Frame> =>
  Stream.filter(frames, ({ data, event }) => data !== undefined && event === undefined)

/** Asks for a stream, and never reads a byte of it. */
export const stalled = (socketPath: string, path: string): Effect.Effect<Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const socket = connect(socketPath, () => {
        socket.pause()
        socket.write(`GET /api/v1${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
        resume(Effect.succeed(socket))
      })
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
