/**
 * A proxy in front of a PostgreSQL server: it cuts connections during a COMMIT, or the server off from those behind it.
 */
import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"

export interface Proxy {
  /** The URL of the same database, through the proxy. */
  readonly url: string
  /** How many connections were cut. */
  readonly cuts: Effect.Effect<number>
  /** Cuts the next so many connections that send COMMIT: in turns before the server has it, and after. */
  readonly cutCommits: (count: number) => Effect.Effect<void>
  /** Ends all connections, and refuses others until `reconnect`. */
  readonly disconnect: Effect.Effect<void>
  readonly reconnect: Effect.Effect<void>
  /** Passes nothing on, and keeps connections, until `resume`, which passes on what has come meanwhile. */
  readonly freeze: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Passes on what new connections say; those that are frozen stay so, as where a network has forgotten them. */
  readonly forget: Effect.Effect<void>
}

/** A simple query: its type, its length, the text, and NUL. */
const commit = Buffer.from("Q\0\0\0\x0bCOMMIT\0")

export const make = (url: string): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    let [isAway, isFrozen, toCut, cuts] = [false, false, 0, 0]
    const sockets = new Set<Socket>()
    const target = new URL(url)
    const [port, host] = [Number(target.port || 5432), target.hostname]
    const server = createServer((client) => {
      if (isAway) return void client.destroy()
      const upstream = connect(port, host)
      for (const [from, to] of [
        [client, upstream],
        [upstream, client]
      ] as const) {
        sockets.add(from)
        from.on("error", () => to.destroy())
        from.on("close", () => {
          sockets.delete(from)
          to.end()
        })
      }
      upstream.on("data", (data) => client.write(data))
      client.on("data", (data) => {
        if (toCut <= 0 || !data.includes(commit)) return void upstream.write(data)
        cuts += 1
        toCut -= 1
        const isSent = cuts % 2 === 0
        // The server does what it was sent, and finds nobody to tell.
        if (isSent) upstream.write(data, () => upstream.end())
        else upstream.destroy()
        client.destroy()
      })
      // After the listeners, which make it flow.
      if (isFrozen) for (const socket of [client, upstream]) socket.pause()
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    const address = server.address()
    target.port = String(typeof address === "object" ? address?.port : "")
    return {
      url: target.href,
      cuts: Effect.sync(() => cuts),
      disconnect: Effect.sync(() => {
        isAway = true
        for (const socket of sockets) socket.destroy()
      }),
      reconnect: Effect.sync(() => void (isAway = false)),
      freeze: Effect.sync(() => {
        isFrozen = true
        for (const socket of sockets) socket.pause()
      }),
      resume: Effect.sync(() => {
        isFrozen = false
        for (const socket of sockets) socket.resume()
      }),
      forget: Effect.sync(() => void (isFrozen = false)),
      cutCommits: (count) => Effect.sync(() => void (toCut = count))
    }
  })
