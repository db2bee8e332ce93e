/**
 * Nodes of a cluster in separate processes, which run the script of the subject with the role `node`. Each responds to every line
 * with a number on a line.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Logger, type Scope, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { createInterface } from "node:readline"
import type { Parameters } from "../harness/Subject.js"

export const freeAddress = Effect.async<string>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(`127.0.0.1:${port}`)))
  })
})

export interface NodeProcess {
  readonly address: string
  readonly ask: (line: string) => Effect.Effect<number>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
}

/** Returns when the node accepts jobs. */
export const spawnNode = (parameters: Parameters): Effect.Effect<NodeProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = yield* freeAddress
    const role = JSON.stringify({ ...parameters, address, role: "node" })
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [process.argv[1] ?? "", role], { stdio: ["pipe", "pipe", "inherit"] })),
      (child) =>
        Effect.promise(async () => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const exit = once(child, "exit")
          child.kill("SIGKILL")
          await exit
        })
    )
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const line = Effect.promise(async () => {
      const { done, value } = await lines.next()
      if (done === true) throw new Error("a node has ended")
      return Number(value)
    })
    yield* line
    return {
      address,
      ask: (question) =>
        Effect.zipRight(
          Effect.sync(() => child.stdin.write(`${question}\n`)),
          line
        ),
      kill: (signal) => Effect.sync(() => void child.kill(signal))
    }
  })

/** Runs this process as such a node until its parent ends, or a signal arrives. */
export const runNode = <R, E, E2>(
  layer: Layer.Layer<R, E>,
  answer: (line: string) => Effect.Effect<number, E2, R>
): void => {
  const say = (value: number) => Effect.sync(() => void process.stdout.write(`${value}\n`))
  const lines = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), String)
  const program = say(0).pipe(
    Effect.zipRight(Stream.runForEach(lines, (line) => Effect.flatMap(answer(line), say))),
    // The parent was killed, and perhaps the server, too.
    Effect.zipRight(Effect.sync((): void => process.exit()))
  )
  // Standard output is for responses.
  const log = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))
  NodeRuntime.runMain(Effect.provide(program, Layer.provideMerge(layer, log)), { disablePrettyLogger: true })
}
