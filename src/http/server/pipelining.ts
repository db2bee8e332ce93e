/**
 * HTTP pipelining. Node starts all requests on a connection at once and sends their responses in order. Before Node 24, it does not
 * close the queued responses when the connection closes.
 */
import { toIncomingMessage, toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Effect } from "effect"
import type { IncomingMessage, RequestListener } from "node:http"
import type { Socket } from "node:net"

/** One `close` listener per socket, for any number of queued requests. */
const callbacksBySocket = new WeakMap<Socket, Set<() => void>>()

const onClose = (socket: Socket, callback: () => void): (() => void) => {
  const callbacks = callbacksBySocket.get(socket) ?? new Set()
  if (!callbacksBySocket.has(socket)) {
    callbacksBySocket.set(socket, callbacks)
    socket.once("close", () => {
      for (const callback of callbacks) callback()
    })
  }
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}

/** Returns when the response is next in line; interrupts when the connection closes first. */
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

/** Closes connections with more than `max` pending requests. */
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
