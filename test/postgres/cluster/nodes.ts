/**
 * Nodes of a cluster, each in a process of its own.
 */
import { Deferred, Effect, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { type Ask, Request, Response } from "./protocol.js"

const program = fileURLToPath(new URL("node.ts", import.meta.url))

const write = Schema.encodeSync(Schema.parseJson(Request))
const read = Schema.decodeSync(Schema.parseJson(Response))

export const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

export interface Node {
  readonly address: string
  /** Fails with the tag of the error. */
  readonly ask: <A, I>(schema: Schema.Schema<A, I>, ask: typeof Ask.Type) => Effect.Effect<A, string>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<void>
}

export const make = (
  url: string,
  { address: own, maxJobs = 20 }: { readonly address?: string; readonly maxJobs?: number } = {}
): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = own ?? `127.0.0.1:${yield* freePort}`
    const waiting = new Map<number, Deferred.Deferred<typeof Response.Type>>()
    const ready = yield* Deferred.make<typeof Response.Type>()
    waiting.set(0, ready)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--import", "tsx", program, url, address, String(maxJobs)], {
          stdio: ["pipe", "pipe", "inherit"]
        })
      ),
      (child) =>
        Effect.promise(async () => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const exit = once(child, "exit")
          child.kill("SIGKILL")
          await exit
        })
    )
    const exited = Effect.promise(async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
    })
    createInterface({ input: child.stdout }).on("line", (line) => {
      const response = read(line)
      const deferred = waiting.get(response.n)
      if (deferred !== undefined) Deferred.unsafeDone(deferred, Effect.succeed(response))
    })
    // A request to a node that is gone has no answer.
    child.stdin.on("error", () => undefined)
    yield* Deferred.await(ready)
    let last = 0
    return {
      address,
      ask: (schema, ask) =>
        Effect.gen(function* () {
          const answered = yield* Deferred.make<typeof Response.Type>()
          last += 1
          waiting.set(last, answered)
          child.stdin.write(`${write({ n: last, ask })}\n`)
          const { answer, error } = yield* Deferred.await(answered)
          return error === undefined
            ? yield* Effect.orDie(Schema.decodeUnknown(schema)(answer))
            : yield* Effect.fail(error)
        }),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      ended: exited
    }
  })
