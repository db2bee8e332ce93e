/**
 * Pipelined requests. Node hands over all that a client has sent on a connection, before any of them can be answered, and Node
 * before 24 does not close the responses that wait for their turn when the connection is closed.
 */
import { toIncomingMessage, toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Effect } from "effect"
import type { IncomingMessage, RequestListener } from "node:http"
import type { Socket } from "node:net"

/** One listener for each socket, however many requests wait on it. */
const waiting = new WeakMap<Socket, Set<() => void>>()

const onClose = (socket: Socket, callback: () => void): (() => void) => {
  const callbacks = waiting.get(socket) ?? new Set()
  if (!waiting.has(socket)) {
    waiting.set(socket, callbacks)
    socket.once("close", () => {
      for (const callback of callbacks) callback()
    })
  }
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}

/** Returns when the response can be sent; is interrupted when the connection closes before. */
export const awaitTurn = (request: HttpServerRequest): Effect.Effect<void> =>
  Effect.async((resume) => {
    const response = toServerResponse(request)
    if (response.socket !== null) return resume(Effect.void)
    const { socket } = toIncomingMessage(request)
    if (socket.destroyed) return resume(Effect.interrupt)
    const onTurn = (): void => {
      forget()
      resume(Effect.void)
    }
    const forget = onClose(socket, () => resume(Effect.interrupt))
    response.once("socket", onTurn)
    return Effect.sync(() => {
      forget()
      response.off("socket", onTurn)
    })
  })

/** Closes a connection on which more than `max` requests wait for their answers. */
export const limitPipelining = (max: number, listener: RequestListener): RequestListener => {
  const pending = new WeakMap<Socket, number>()
  const add = ({ socket }: IncomingMessage, change: number): number => {
    const count = (pending.get(socket) ?? 0) + change
    pending.set(socket, count)
    return count
  }
  return (request, response) => {
    if (add(request, 1) > max) return void request.socket.destroy()
    response.once("close", () => add(request, -1))
    listener(request, response)
  }
}
