/**
 * Nodes of a cluster, each in a process of its own.
 */
import type { JobId } from "charlotte"
import { Deferred, Effect, Schema, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { createInterface } from "node:readline"
import { inject } from "vitest"
import { type Ask, Request, Response, Settings } from "./protocol.js"

const settingsOf = Schema.encodeSync(Settings)
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

export interface Options {
  /** How others reach it; a free port of this machine by default. */
  readonly address?: string
  /** Where it listens, if that is another address. */
  readonly listen?: string
  /** Of the cluster. */
  readonly maxJobs?: number
  /** The socket of its HTTP server; without one it has none. */
  readonly http?: string
}

export interface Node {
  readonly address: string
  readonly pid: number
  /** Fails with the tag of the error, or with `Gone` where the process has ended. */
  readonly ask: <A, I>(schema: Schema.Schema<A, I>, ask: typeof Ask.Type) => Effect.Effect<A, string>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<void>
  readonly isRunning: Effect.Effect<boolean>
}

const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null

/** A node, which keeps its files in that directory. */
export const make = (
  url: string,
  directory: string,
  { address: own, maxJobs = 20, ...others }: Options = {}
): Effect.Effect<Node, never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = own ?? `127.0.0.1:${yield* freePort}`
    const { guard, node: program } = inject("programs")
    const settings = settingsOf({ ...others, url, address, maxJobs, directory, guard })
    const waiting = new Map<number, Deferred.Deferred<typeof Response.Type>>()
    const ready = yield* Deferred.make<typeof Response.Type>()
    waiting.set(0, ready)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [program, settings], { stdio: ["pipe", "pipe", "inherit"] })),
      (child) =>
        Effect.promise(async () => {
          if (!isRunning(child)) return
          const exit = once(child, "exit")
          child.kill("SIGKILL")
          await exit
        })
    )
    const exited = Effect.promise(async () => {
      if (isRunning(child)) await once(child, "exit")
    })
    createInterface({ input: child.stdout }).on("line", (line) => {
      // What else it prints is for who reads the output of a test that fails.
      if (!line.startsWith("{")) return void process.stderr.write(`${line}\n`)
      const response = read(line)
      const deferred = waiting.get(response.n)
      waiting.delete(response.n)
      if (deferred !== undefined) Deferred.unsafeDone(deferred, Effect.succeed(response))
    })
    child.stdin.on("error", () => undefined)
    child.on("exit", () => {
      for (const [n, answered] of waiting) {
        if (n > 0) Deferred.unsafeDone(answered, Effect.succeed({ n, error: "Gone" }))
      }
    })
    yield* Effect.raceFirst(
      Deferred.await(ready),
      Effect.zipRight(exited, Effect.dieMessage("the node has ended before it was ready"))
    )
    let last = 0
    return {
      address,
      pid: child.pid ?? 0,
      ask: (schema, ask) =>
        Effect.gen(function* () {
          if (!isRunning(child)) return yield* Effect.fail("Gone")
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
      ended: exited,
      isRunning: Effect.sync(() => isRunning(child))
    }
  })

const Stopped = Schema.Struct({ mode: Schema.String, status: Schema.String })

/**
 * Stops a job, from any node. Where a busy machine needs more than the second after the grace, the job goes on stopping, and
 * the stop is asked for again.
 */
export const stop = (node: Node, id: JobId.JobId) =>
  Effect.retry(node.ask(Stopped, { _tag: "Stop", id }), { times: 10, while: (error) => error === "StopTimedOut" })
