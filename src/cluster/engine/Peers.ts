/**
 * Connections to other nodes: one to each node, opened with the first request, and dropped with the first failure.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Socket from "@effect/platform/Socket"
import * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import { Cause, Effect, Exit, type Redacted, Schedule, Scope } from "effect"
import * as race from "../../internal/race.js"
import { createConnection } from "node:net"
import type { Address } from "./Address.js"
import * as frames from "./frames.js"
import * as Hello from "./Hello.js"
import { Elsewhere, JobRpcs } from "./JobRpcs.js"

export type Client = RpcClient.FromGroup<typeof JobRpcs, RpcClientError>

export interface Peers {
  /** Sends a request to the node at that address; fails with `Elsewhere` if it cannot be reached, or no longer responds. */
  readonly ask: <A, E>(
    address: Address,
    request: (client: Client) => Effect.Effect<A, E | RpcClientError>
  ) => Effect.Effect<A, E | Elsewhere>
}

interface Caller {
  readonly caller: string
  readonly secret: Redacted.Redacted | undefined
}

interface Peer {
  readonly client: Client
  readonly scope: Scope.CloseableScope
  users: number
}

const connectTimeout = "1 second"
const pingInterval = "1 second"
const pingTimeout = "2 seconds"

/** Opens a connection, and sends the first line. */
const open = ({ host, port, text: called }: Address, { caller, secret }: Caller) =>
  Effect.acquireRelease(
    Effect.sync(() => createConnection({ host, port, noDelay: true, keepAlive: true })),
    (socket) => Effect.sync(() => socket.destroySoon())
  ).pipe(
    Effect.tap((socket) =>
      Effect.async<void, Socket.SocketError>((resume) => {
        socket.on("error", (cause) => resume(new Socket.SocketGenericError({ reason: "Open", cause })))
        socket.once("connect", () => {
          socket.write(`${Hello.line(secret, { caller, called })}\n`)
          resume(Effect.void)
        })
      })
    )
  )

const connect = (address: Address, caller: Caller) =>
  Effect.gen(function* () {
    const socket = yield* NodeSocket.fromDuplex(open(address, caller), { openTimeout: connectTimeout })
    // The retries of the protocol would wait for up to five seconds, and never end for a node that is gone.
    const protocol = yield* RpcClient.makeProtocolSocket({ retrySchedule: Schedule.recurs(0) }).pipe(
      Effect.provideService(Socket.Socket, socket),
      Effect.provide(frames.layer(frames.maxAnswer))
    )
    return yield* RpcClient.make(JobRpcs, { disableTracing: true }).pipe(
      Effect.provideService(RpcClient.Protocol, protocol)
    )
  })

/** Returns once the node does not respond: a frozen node keeps its connections. */
const untilSilent = (client: Client): Effect.Effect<void> =>
  client.Ping().pipe(Effect.timeout(pingTimeout), Effect.delay(pingInterval), Effect.forever, Effect.ignore)

/** Makes connections from the node at that address. */
export const make = (caller: Caller): Effect.Effect<Peers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const known = new Map<string, Peer>()
    const close = ({ scope }: Peer) => Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() => Effect.forEach(known.values(), close, { discard: true }))

    const acquire = (address: Address) =>
      Effect.gen(function* () {
        const found = known.get(address.text)
        if (found !== undefined) {
          found.users += 1
          return found
        }
        const scope = yield* Scope.make()
        const peer: Peer = { client: yield* Scope.extend(connect(address, caller), scope), scope, users: 1 }
        known.set(address.text, peer)
        return peer
      })

    const isKnown = (address: Address, peer: Peer) => known.get(address.text) === peer
    const forget = (address: Address, peer: Peer) => {
      if (isKnown(address, peer)) known.delete(address.text)
    }
    /** Closes a connection once its last user is done: closing a client interrupts its requests. */
    const release = (address: Address) => (peer: Peer) =>
      Effect.suspend(() => {
        peer.users -= 1
        return peer.users > 0 || isKnown(address, peer) ? Effect.void : close(peer)
      })

    return {
      ask: (address, request) =>
        Effect.acquireUseRelease(
          acquire(address),
          (peer) => {
            const gone = Effect.zipRight(
              Effect.sync(() => forget(address, peer)),
              new Elsewhere()
            )
            const answer = request(peer.client).pipe(
              // A write to a broken connection is a defect to the client.
              Effect.catchAllDefect((defect) => (Socket.isSocketError(defect) ? gone : Effect.die(defect))),
              Effect.catchAll((error) => (error instanceof RpcClientError ? gone : Effect.fail(error))),
              // A node that is shutting down responds with an interruption. An interruption of this fiber is not caught.
              Effect.catchAllCause((cause) => (Cause.isInterruptedOnly(cause) ? gone : Effect.failCause(cause)))
            )
            return race.first([answer, Effect.zipRight(untilSilent(peer.client), gone)])
          },
          release(address)
        )
    }
  })
