/**
 * Listens on a private unix socket.
 */
import { Effect } from "effect"
import { existsSync, lstatSync, unlinkSync } from "node:fs"
import type { Server } from "node:http"
import { connect } from "node:net"
import { dirname } from "node:path"
import * as SocketPath from "../SocketPath.js"
import type { Endpoint } from "./Address.js"
import { bindServer } from "./bindServer.js"
import { ListenError } from "./ListenError.js"

/** Whether a process listens on the socket (`alive`), or it is stale (`dead`). */
const probe = (path: string): Effect.Effect<"alive" | "dead" | "other"> =>
  Effect.async((resume) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed("alive"))
    })
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      resume(Effect.succeed(code === "ECONNREFUSED" ? "dead" : "other"))
    )
    return Effect.sync(() => socket.destroy())
  })

export const listenOnSocket = (server: Server, socket: string): Effect.Effect<Endpoint, ListenError> =>
  Effect.gen(function* () {
    const path = yield* SocketPath.make(socket)
    const refuse = (problem: string) => new ListenError({ address: path, problem })
    // Node would report EACCES.
    if (!existsSync(dirname(path))) return yield* refuse("the directory does not exist")
    const failed = Effect.mapError((error: Error) => refuse(error.message))

    const replaceStale = Effect.gen(function* () {
      if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
        return yield* refuse("the file is not a socket")
      const state = yield* probe(path)
      if (state === "alive") return yield* refuse("another process listens on it")
      // Left by a killed process. The caller excludes other servers on the same path: the daemon holds the lock of its home.
      if (state === "dead") unlinkSync(path)
      yield* failed(bindServer(server, { path }))
    })
    yield* Effect.catchAll(bindServer(server, { path }), (error) =>
      error.code === "EADDRINUSE" ? replaceStale : failed(Effect.fail(error))
    )
    return { address: { socket: path }, policy: { isHost: (host) => host === "localhost", origins: [] } }
  })
