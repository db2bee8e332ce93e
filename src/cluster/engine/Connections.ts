/**
 * The server for the connections of other nodes. Each connection begins with a line that proves that its caller knows the secret of the
 * cluster; until a whole frame follows, it costs only its socket. Limits bound what a caller can occupy: connections, incomplete lines,
 * responses that it does not read, and turns of the event loop.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import type * as Socket from "@effect/platform/Socket"
import * as SocketServer from "@effect/platform/SocketServer"
import { Clock, Effect, FiberSet, type Redacted, Runtime, type Scope } from "effect"
import { createServer, type Socket as NetSocket } from "node:net"
import * as Permits from "../../internal/Permits.js"
import { RealClock } from "../../internal/RealClock.js"
import * as frames from "./frames.js"
import * as Hello from "./Hello.js"

/** Maximum number of connections of one node. A node uses one, and a few more while it replaces failed ones. */
const maxOfNode = 4

/** Maximum number of connections, regardless of the addresses of the callers. */
const maxConnections = 1_024

/** Maximum number of connections with an incomplete line: a whole line nearly always comes in one packet. */
const maxIncomplete = 64

/** Milliseconds within which a line has to be complete: the first line and every frame after it. */
const lineTimeout = 5_000

/** Maximum number of bytes that a caller may leave unread. */
const maxUnread = 4 * 1024 * 1024

/** Maximum number of frames in one turn of the event loop, which is also needed for jobs and heartbeats. */
const framesPerTurn = 16

/** Milliseconds between two warnings about callers without the secret. */
const warningInterval = 60_000

/** How long closing waits for callers that do not read what they were sent. */
const closeTimeout = "1 second"

const newline = 0x0a
const nothing = Buffer.alloc(0)

interface Connection {
  readonly socket: NetSocket
  /** The caller; undefined until the first line has proven it. */
  caller: string | undefined
  /** The timer that runs while a line is incomplete. */
  timer: NodeJS.Timeout | undefined
}

/** Cuts frames into groups, one for each turn; the last group may end with an incomplete frame. */
const turnsOf = (data: Buffer): ReadonlyArray<Buffer> => {
  const turns: Array<Buffer> = []
  let [from, count] = [0, 0]
  for (let at = data.indexOf(newline); at >= 0; at = data.indexOf(newline, at + 1)) {
    count += 1
    if (count % framesPerTurn !== 0) continue
    turns.push(data.subarray(from, at + 1))
    from = at + 1
  }
  if (from < data.length) turns.push(data.subarray(from))
  return turns
}

export const listen = (
  { host, port }: { readonly host: string; readonly port: number },
  { called, secret }: { readonly called: string; readonly secret: Redacted.Redacted | undefined }
): Effect.Effect<SocketServer.SocketServer["Type"], SocketServer.SocketServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = Runtime.runFork(yield* Effect.runtime())
    const { turn } = yield* RealClock
    /** Gives each group of frames a turn, in the order of arrival. */
    const nextTurn = Permits.make(1)(turn)
    /** All connections, the oldest first. */
    const connections = new Set<Connection>()
    let serve = ({ socket }: Connection): void => void socket.destroy()

    let warnedAt = -Infinity
    const warn = ({ remoteAddress = "an unknown address" }: NetSocket) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now - warnedAt < warningInterval) return
        warnedAt = now
        yield* Effect.logWarning(
          `refused a connection from ${remoteAddress} to ${called}: it did not begin with a proof of this cluster's secret; all nodes need the same`
        )
      })

    const stopTimer = (connection: Connection) => {
      clearTimeout(connection.timer)
      connection.timer = undefined
    }
    const startTimer = (connection: Connection) => {
      // oxlint-disable-next-line eslint/no-restricted-globals -- a socket needs real time, and no fiber before its caller is known
      connection.timer ??= setTimeout(() => connection.socket.destroy(), lineTimeout)
      limit(maxIncomplete, ({ timer }) => timer !== undefined)
    }
    const remove = (connection: Connection) => {
      stopTimer(connection)
      connections.delete(connection)
    }
    /** Closes the oldest of the matching connections if there are more than `max`. */
    const limit = (max: number, isOne: (connection: Connection) => boolean) => {
      const some = [...connections].filter(isOne)
      for (const connection of some.slice(0, Math.max(0, some.length - max))) {
        remove(connection)
        connection.socket.destroy()
      }
    }

    const accept = (socket: NetSocket) => {
      const connection: Connection = { socket, caller: undefined, timer: undefined }
      let unread: Buffer = nothing
      /** Returns whether the first line is there and proves the caller. */
      const prove = (): boolean => {
        const end = unread.indexOf(newline)
        if (end < 0 && unread.length <= Hello.maxLength) return false
        const line = end < 0 || end > Hello.maxLength ? "" : unread.toString("latin1", 0, end)
        const caller = Hello.callerOf(secret, called, line)
        if (caller === undefined) {
          fork(warn(socket))
          socket.destroy()
          return false
        }
        unread = unread.subarray(end + 1)
        connection.caller = caller
        stopTimer(connection)
        limit(maxOfNode, (other) => other.caller === caller)
        return true
      }
      const onData = (chunk: Buffer) => {
        unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
        if (connection.caller === undefined && !prove()) return
        if (unread.includes(newline)) {
          socket.off("data", onData)
          socket.pause()
          socket.unshift(unread)
          serve(connection)
        } else if (unread.length > frames.maxRequest) socket.destroy()
        else if (unread.length > 0) startTimer(connection)
      }
      socket.on("error", () => {})
      socket.on("close", () => remove(connection))
      socket.on("data", onData)
      connections.add(connection)
      limit(maxConnections, () => true)
      startTimer(connection)
    }

    const server = createServer({ noDelay: true, keepAlive: true }, accept)
    yield* Effect.acquireRelease(
      Effect.async<void, SocketServer.SocketServerError>((resume) => {
        server.once("error", (cause) => resume(new SocketServer.SocketServerError({ reason: "Open", cause })))
        server.listen({ host, port }, () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const { socket } of connections) socket.destroySoon()
        }).pipe(
          Effect.interruptible,
          Effect.timeoutOption(closeTimeout),
          Effect.ensuring(
            Effect.sync(() => {
              for (const { socket } of connections) socket.destroy()
            })
          )
        )
    )

    /** The socket of a connection, which is not read while its last frames wait for their turns. */
    const paced = (connection: Connection, socket: Socket.Socket): Socket.Socket => {
      const net = connection.socket
      const runRaw: Socket.Socket["runRaw"] = (handler) =>
        socket.runRaw(
          (data) => {
            const all = Buffer.isBuffer(data) ? data : Buffer.from(data)
            const end = all.lastIndexOf(newline)
            if (end >= 0) stopTimer(connection)
            if (net.writableLength > maxUnread) return void net.destroy()
            net.pause()
            const read = Effect.sync(() => {
              if (end < all.length - 1) startTimer(connection)
              net.resume()
            })
            return Effect.forEach(
              turnsOf(all),
              (part) =>
                Effect.zipRight(
                  nextTurn,
                  Effect.suspend(() => handler(part) ?? Effect.void)
                ),
              { discard: true }
            ).pipe(Effect.zipRight(read))
          },
          { onOpen: Effect.sync(() => void net.resume()) }
        )
      return { ...socket, runRaw }
    }

    return SocketServer.SocketServer.of({
      address: { _tag: "TcpAddress", hostname: host, port },
      run: <R, E, A>(handler: (socket: Socket.Socket) => Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const run = yield* FiberSet.makeRuntime<R>()
          serve = (connection) => {
            const net = Effect.acquireRelease(Effect.succeed(connection.socket), (socket) =>
              Effect.sync(() => socket.destroySoon())
            )
            run(
              NodeSocket.fromDuplex(net).pipe(
                Effect.flatMap((socket) => handler(paced(connection, socket))),
                Effect.ignoreLogged
              )
            )
          }
          return yield* Effect.never
        }).pipe(Effect.scoped)
    })
  })
