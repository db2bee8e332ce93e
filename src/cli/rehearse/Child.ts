/**
 * The child process that imports the module of an application: without the environment of this process, and, where Node can, without
 * network, writes and further processes.
 */
import { Data, Deferred, Duration, Effect, Option, Ref, Runtime, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as format from "../terminal/format.js"
import { Reply, type Request } from "./protocol.js"

/** The module cannot be rehearsed. */
export class ModuleUnusable extends Data.TaggedError("ModuleUnusable")<{
  readonly module: string
  readonly problem: string
}> {
  override get message() {
    return `${this.module} cannot be rehearsed: ${this.problem}`
  }
}

/** Beside the bundled command, and as source, whose types Node strips. */
const program = (): string =>
  ["program.mjs", "program.ts"]
    .map((name) => fileURLToPath(new URL(name, import.meta.url)))
    .find((file) => existsSync(file)) ?? ""

/** How much of what it prints on standard error is kept. */
const keptText = 4_096

export interface Child {
  readonly kinds: ReadonlySet<string>
  readonly verdicts: (records: Request["records"]) => Effect.Effect<ReadonlyArray<Reply.Verdict>, ModuleUnusable>
}

/** `timeout`: how long the import may take, and then the verdicts on each page of records. */
export const make = (module: string, timeout: Duration.Duration): Effect.Effect<Child, ModuleUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const refuse = (problem: string) => new ModuleUnusable({ module, problem })
    const run = Runtime.runSync(yield* Effect.runtime())
    const waiting = yield* Ref.make(yield* Deferred.make<Reply, ModuleUnusable>())
    const settle = (reply: Effect.Effect<Reply, ModuleUnusable>) =>
      run(Effect.flatMap(Ref.get(waiting), (deferred) => Deferred.complete(deferred, reply)))
    let printed = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          [
            "--permission",
            "--allow-fs-read=*",
            "--experimental-import-meta-resolve",
            "--no-warnings",
            program(),
            pathToFileURL(module).href
          ],
          { env: {}, stdio: ["ignore", "ignore", "pipe", "ipc"] }
        )
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-keptText)
    })
    child.on("message", (message) =>
      settle(
        Option.match(Schema.decodeUnknownOption(Reply)(message), {
          onNone: () => refuse("its process sends what is no reply"),
          onSome: Effect.succeed
        })
      )
    )
    child.on("error", ({ message }) => settle(refuse(message)))
    child.on("close", (code, signal) =>
      settle(refuse(reasonIn(printed) ?? `its process has ended with ${signal ?? code}`))
    )

    const reply = (what: string) =>
      Ref.get(waiting).pipe(
        Effect.flatMap(Deferred.await),
        Effect.timeoutFail({
          duration: timeout,
          onTimeout: () => refuse(`${what} took longer than ${Duration.format(timeout)}; give it more with --timeout`)
        })
      )
    const first = yield* reply("its import")
    const kinds = new Set("kinds" in first ? first.kinds : [])
    if (kinds.size === 0) return yield* refuse("it exports no kinds of jobs")
    return {
      kinds,
      verdicts: (records) =>
        Effect.gen(function* () {
          yield* Ref.set(waiting, yield* Deferred.make<Reply, ModuleUnusable>())
          if (!child.connected) return yield* refuse(reasonIn(printed) ?? "its process has ended")
          child.send({ records })
          const answered = yield* reply(format.count(records.length, "record"))
          return "verdicts" in answered ? answered.verdicts : []
        })
    }
  })

/** The error that Node has printed, without its stack. */
const reasonIn = (printed: string): string | undefined => /^(?:\w*Error(?: \[\w+\])?): .*$/m.exec(printed)?.[0]
