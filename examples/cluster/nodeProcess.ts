/**
 * Runs node.ts in a separate process, with a client for it.
 */
import { JobClient } from "charlotte/http"
import { Context, Data, Effect, Layer, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "./freePort.js"
import { Report } from "./Report.js"

const program = fileURLToPath(new URL("node.ts", import.meta.url))

const Reports = JobClient.of(Report)

export class NodeEnded extends Data.TaggedError("NodeEnded")<{ readonly name: string; readonly output: string }> {
  override get message() {
    return `node ${this.name} has ended: ${this.output}`
  }
}

const isOver = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** The node hands its jobs to the other nodes before it ends. */
const close = async (child: ChildProcess) => {
  if (isOver(child)) return
  const exit = once(child, "exit")
  // A second signal would end it at once.
  if (!child.killed) child.kill("SIGTERM")
  const late = setTimeout(() => child.kill("SIGKILL"), 5_000)
  await exit
  clearTimeout(late)
}

export type Node = Effect.Effect.Success<ReturnType<typeof start>>

/** Returns when the node accepts requests. */
export const start = (name: string, directory: string, url: string) =>
  Effect.gen(function* () {
    const address = `127.0.0.1:${yield* freePort}`
    const [socket, log] = [join(directory, `${name}.socket`), join(directory, `${name}.log`)]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const output = openSync(log, "w")
        return spawn(process.execPath, ["--import", import.meta.resolve("tsx"), program], {
          env: { ...process.env, DATABASE_URL: url, ADDRESS: address, SOCKET: socket },
          // Ctrl-C must not reach the nodes, which end with the program that has started them.
          detached: true,
          stdio: ["ignore", output, output]
        })
      }),
      (child) => Effect.promise(() => close(child))
    )
    const reports = yield* Effect.map(Layer.build(Reports.layer({ socket })), Context.get(Reports))
    yield* Effect.retry(reports.list({ limit: 1 }), {
      schedule: Schedule.spaced("100 millis"),
      while: () => !isOver(child)
    }).pipe(Effect.catchAll(() => new NodeEnded({ name, output: readFileSync(log, "utf8") })))
    const signal = (signal: NodeJS.Signals) => Effect.sync(() => void child.kill(signal))
    return { name, address, pid: child.pid ?? 0, reports, signal }
  })
