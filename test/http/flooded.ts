/** The process of `flooding.ts`, and clients of it. */
import * as Http from "charlotte/http"
import { Effect, Schedule, type Scope } from "effect"
import { spawn } from "node:child_process"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { bundle } from "../support/bundle.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as requests from "./requests.js"

export interface Flooded {
  readonly socket: string
  readonly client: Http.JobClient.Service
}

export const make: Effect.Effect<Flooded, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const program = yield* bundle(directory, fileURLToPath(new URL("flooding.ts", import.meta.url)))
  yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [program, directory], { stdio: "inherit" })),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const socket = `${directory}/socket`
  const client = yield* Http.JobClient.make({ socket })
  yield* Effect.retry(client.health, Schedule.spaced("20 millis"))
  return { socket, client }
}).pipe(Effect.orDie)

/** Returns when so many streams are open. */
export const streams = (socket: string, count: number) =>
  Effect.as(
    Effect.repeat(requests.send({ socketPath: socket }, { path: "/metrics" }), {
      until: ({ text }) => text.includes(`charlotte_streams ${count}\n`),
      schedule: Schedule.spaced("10 millis")
    }),
    true
  )

/** A client that asks for a stream of events and looks at nothing but their numbers. */
export const reader = (socket: string, path: string) =>
  Effect.async<number>((resume) => {
    let rest = ""
    let position = 0
    const stream = connect(socket)
    stream.setEncoding("latin1")
    stream.write(`GET /api/v1${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    stream.on("data", (piece: string) => {
      const text = rest + piece
      const end = text.lastIndexOf("\n") + 1
      rest = text.slice(end)
      for (const [, id] of text.slice(0, end).matchAll(/^id: (\d+)$/gm)) {
        if (Number(id) === position) continue
        // A gap, or a repetition: what is given then is not what it should be.
        if (Number(id) !== position + 1) return void stream.destroy()
        position += 1
      }
      if (text.includes('"type":"job.completed"')) stream.destroy()
    })
    stream.on("error", () => {})
    stream.on("close", () => resume(Effect.succeed(position)))
    return Effect.sync(() => stream.destroy())
  })
