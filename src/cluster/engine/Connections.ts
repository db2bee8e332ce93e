/**
 * The connections that other nodes open to this one. Each begins with a line that proves that the caller knows the secret of the
 * cluster. They are bounded in number, in how long a line may take, and in what is kept for a caller that does not read.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import type * as Socket from "@effect/platform/Socket"
import type * as SocketServer from "@effect/platform/SocketServer"
import { Clock, Effect, type Redacted } from "effect"
import type { Socket as NetSocket } from "node:net"
import * as Hello from "./Hello.js"

/** Maximum number of connections of one node. It uses one, and a few more while it replaces those that have failed. */
const maxOfNode = 4

/** Maximum number of connections that have not sent their first line yet: it comes with the first packet. */
const maxUnproven = 256

/** Maximum number of connections, whatever addresses the callers have. */
const maxConnections = 1_024

/** Milliseconds within which a line has to be complete, the first and every frame after it. */
const lineTimeout = 5_000

/** Maximum number of bytes that a caller may leave unread. */
const maxUnread = 4 * 1024 * 1024

/** Milliseconds between two warnings of callers without the secret. */
const warningInterval = 60_000

const newline = 0x0a

interface Connection {
  readonly socket: NetSocket
  /** The first line, as far as it has arrived. */
  hello: Buffer
  /** Its caller, once the first line has proven that. */
  caller: string | undefined
  /** Runs while a line is incomplete. */
  timer: NodeJS.Timeout | undefined
}

/** The same server, which passes on what comes after a valid first line. */
export const guarded = (
  server: SocketServer.SocketServer["Type"],
  { called, secret }: { readonly called: string; readonly secret: Redacted.Redacted | undefined }
): SocketServer.SocketServer["Type"] => {
  /** The oldest is first. */
  const connections = new Set<Connection>()
  let warnedAt = -Infinity

  const startTimer = (connection: Connection) => {
    connection.timer ??= setTimeout(() => connection.socket.destroy(), lineTimeout)
  }
  const stopTimer = (connection: Connection) => {
    clearTimeout(connection.timer)
    connection.timer = undefined
  }
  const remove = (connection: Connection) => {
    stopTimer(connection)
    connections.delete(connection)
  }

  /** Closes the oldest of those connections, if there are more. */
  const limit = (max: number, isOne: (connection: Connection) => boolean) => {
    const some = [...connections].filter(isOne)
    for (const connection of some.slice(0, Math.max(0, some.length - max))) {
      remove(connection)
      connection.socket.destroy()
    }
  }

  const open = (socket: NetSocket): Connection => {
    const connection: Connection = { socket, hello: Buffer.alloc(0), caller: undefined, timer: undefined }
    connections.add(connection)
    startTimer(connection)
    limit(maxUnproven, ({ caller }) => caller === undefined)
    limit(maxConnections, () => true)
    return connection
  }

  const refuse = ({ socket }: Connection) =>
    Effect.gen(function* () {
      const from = socket.remoteAddress ?? "an address that is gone"
      socket.destroy()
      const now = yield* Clock.currentTimeMillis
      if (now - warnedAt < warningInterval) return
      warnedAt = now
      yield* Effect.logWarning(
        `refused a connection from ${from} to ${called}: it did not begin with a proof of this cluster's secret; all nodes need the same`
      )
    })

  /** Passes on what comes after the first line. */
  const prove = (connection: Connection, chunk: Buffer): Effect.Effect<void> | Buffer => {
    const all = Buffer.concat([connection.hello, chunk])
    const end = all.indexOf(newline)
    if (end < 0 && all.length <= Hello.maxLength) {
      connection.hello = all
      return Buffer.alloc(0)
    }
    const caller =
      end < 0 || end > Hello.maxLength
        ? undefined
        : Hello.callerOf(secret, called, all.subarray(0, end).toString("latin1"))
    if (caller === undefined) return refuse(connection)
    connection.caller = caller
    connection.hello = Buffer.alloc(0)
    stopTimer(connection)
    limit(maxOfNode, (other) => other.caller === caller)
    return all.subarray(end + 1)
  }

  const filtered =
    <A, E, R>(connection: Connection, handler: (data: Uint8Array) => Effect.Effect<A, E, R> | void) =>
    (data: Uint8Array | string): Effect.Effect<A | void, E, R> | void => {
      const { socket } = connection
      if (socket.destroyed) return
      if (socket.writableLength > maxUnread) return void socket.destroy()
      const chunk = Buffer.isBuffer(data) ? data : Buffer.from(data)
      const rest = connection.caller === undefined ? prove(connection, chunk) : chunk
      if (Effect.isEffect(rest)) return rest
      if (rest.length === 0) return
      const end = rest.lastIndexOf(newline)
      if (end >= 0) stopTimer(connection)
      if (end < rest.length - 1) startTimer(connection)
      return handler(rest)
    }

  return {
    ...server,
    run: (handler) =>
      server.run((socket) =>
        Effect.flatMap(Effect.orDie(Effect.serviceOptional(NodeSocket.NetSocket)), (net) =>
          Effect.acquireUseRelease(
            Effect.sync(() => open(net)),
            (connection) => {
              const runRaw: Socket.Socket["runRaw"] = (handler, options) =>
                socket.runRaw(filtered(connection, handler), options)
              return handler({ ...socket, runRaw })
            },
            (connection) => Effect.sync(() => remove(connection))
          )
        )
      )
  }
}
