/**
 * `program.ts` as its parent process sees it.
 */
import { Data, Deferred, Effect, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { JobId } from "charlotte"
import { bundle as bundleProgram } from "../support/bundle.js"

export const Message = Schema.Union(
  Schema.Struct({ tag: Schema.Literal("acknowledged"), what: Schema.String }),
  Schema.Struct({
    tag: Schema.Literal("full"),
    reasons: Schema.Array(Schema.String),
    refused: Schema.String
  }),
  Schema.Struct({
    tag: Schema.Literal("recorded"),
    status: Schema.String,
    emitted: Schema.Int,
    recorded: Schema.Int,
    violations: Schema.Int
  }),
  Schema.Struct({ tag: Schema.Literal("working"), ids: Schema.Array(JobId.JobId) })
)
export type Message = typeof Message.Type

const decode = Schema.decodeSync(Schema.parseJson(Message))

export class End extends Data.Class<{
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly messages: ReadonlyArray<Message>
  /** Its log output. */
  readonly log: string
}> {}

export interface Child {
  readonly pid: number
  /** Resolves with the first message; dies if the process exits without one. */
  readonly firstMessage: Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<End>
}

export const bundle = (directory: string) =>
  bundleProgram(directory, fileURLToPath(new URL("program.ts", import.meta.url)))

/** Runs a command that executes the program, until the scope closes. */
export const start = (command: string, args: ReadonlyArray<string>): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<End>()
    const first = yield* Deferred.make<void>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    let out = ""
    let log = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
      if (out.includes("\n")) Deferred.unsafeDone(first, Effect.void)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
    child.on("close", (code, signal) => {
      const messages = out
        .split("\n")
        .slice(0, -1)
        .map((line) => decode(line))
      Deferred.unsafeDone(ended, Effect.succeed(new End({ code, signal, messages, log })))
    })
    return {
      pid: child.pid ?? 0,
      firstMessage: Effect.raceFirst(
        Deferred.await(first),
        Effect.flatMap(Deferred.await(ended), ({ log }) =>
          Effect.dieMessage(`the program exited without a message: ${log}`)
        )
      ),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      ended: Deferred.await(ended)
    }
  })
