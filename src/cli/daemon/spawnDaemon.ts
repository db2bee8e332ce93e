/**
 * Spawns the daemon as a process that outlives this one and its terminal.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { type Array, Effect, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { Home } from "../../daemon/home/Home.js"
import { Output } from "../terminal/Output.js"
import * as text from "../terminal/text.js"
import { ParentEnvironment, type Variables } from "../../process/ChildEnvironment.js"

/** The daemon exited before it was ready. */
export class NotStarted extends Schema.TaggedError<NotStarted>()("NotStarted", {
  code: Schema.Int,
  /** What it printed to standard error. */
  text: Schema.String
}) {
  override get message() {
    return this.text
  }
}

/**
 * Returns once the daemon is ready, and shows its progress until then. The words are a `daemon start --foreground` command line.
 */
export const launch = (
  words: ReadonlyArray<string>
): Effect.Effect<void, NotStarted, FileSystem | Home | Output | Path> =>
  Effect.gen(function* () {
    const { error } = yield* Output
    const fs = yield* FileSystem
    const path = yield* Path
    const home = yield* Home
    const around = yield* ParentEnvironment
    yield* fs.makeDirectory(home.logs, { recursive: true, mode: 0o700 })
    // Named by this process until the daemon is ready: others may be starting at the same time.
    const draft = path.join(home.logs, `daemon.err.${process.pid}`)
    yield* Effect.acquireUseRelease(
      Effect.try({ try: () => openSync(draft, "w", 0o600), catch: unopened }),
      (err) =>
        Effect.gen(function* () {
          const { code, isReady } = yield* begin(words, {
            cwd: home.directory,
            env: environment(around, home),
            err,
            show: (line) => void Effect.runFork(error(`charlotte: ${text.clean(line)}\n`))
          })
          // Later output, such as an out-of-memory report, is found there.
          if (isReady) return yield* fs.rename(draft, path.join(home.logs, "daemon.err"))
          const printed = yield* fs.readFileString(draft)
          const fallback = `charlotte: the daemon exited before it was ready (${code})\n`
          return yield* new NotStarted({
            code: typeof code === "number" && code > 0 ? code : 1,
            text: printed || fallback
          })
        }),
      (err) =>
        Effect.zipRight(
          Effect.sync(() => closeSync(err)),
          Effect.ignore(fs.remove(draft))
        )
    )
  }).pipe(Effect.catchTags({ BadArgument: Effect.die, SystemError: unwritable }))

const unwritable = ({ message }: { readonly message: string }) =>
  new NotStarted({ code: 1, text: `charlotte: cannot start the daemon: ${message}\n` })

const unopened = (cause: unknown) => unwritable({ message: cause instanceof Error ? cause.message : String(cause) })

interface Begun {
  readonly isReady: boolean
  /** The exit code, or the name of a signal. */
  readonly code: number | string
}

interface Options {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly err: number
  readonly show: (line: string) => void
}

/** The messages of the daemon while it starts: its progress, and that it is ready. */
const Message = Schema.Union(Schema.Struct({ progress: Schema.String }), Schema.Literal("ready"))
type Message = typeof Message.Type

/** The program of this process, without the words of its command line. */
export const program = (): Array.NonEmptyReadonlyArray<string> => {
  const [, script = ""] = process.argv
  return [process.execPath, ...process.execArgv.filter((option) => !option.startsWith("--inspect")), script]
}

const begin = (words: ReadonlyArray<string>, { cwd, env, err, show }: Options): Effect.Effect<Begun> =>
  Effect.async((resume) => {
    const [file, ...rest] = program()
    const child: ChildProcess = spawn(file, [...rest, ...words], {
      cwd,
      env,
      // A separate session, without signals from the terminal.
      detached: true,
      // The IPC channel is closed before the daemon spawns anything.
      stdio: ["ignore", "ignore", err, "ipc"]
    })
    const ended = (code: number | string) => resume(Effect.succeed({ isReady: false, code }))
    child.once("error", ({ message }) => ended(message))
    child.once("exit", (code, signal) => ended(code ?? signal ?? ""))
    child.on("message", (message: unknown) => {
      if (!Schema.is(Message)(message)) return
      if (message !== "ready") return show(message.progress)
      child.removeAllListeners()
      child.on("error", () => {})
      child.disconnect()
      child.unref()
      resume(Effect.succeed({ isReady: true, code: 0 }))
    })
    // An interrupted start leaves no daemon behind.
    return Effect.sync(() => child.kill("SIGTERM"))
  })

/** GIT_* would point the daemon to one repository; Node's variables are meant for this process alone. */
const isForThisProcess = (name: string): boolean => /^(GIT_|NODE_OPTIONS$|NODE_CHANNEL_)/.test(name)

const environment = (around: Variables, { directory }: Home["Type"]): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(around).filter(([name]) => !isForThisProcess(name))),
  CHARLOTTE_HOME: directory
})

/** Whether a launcher waits for this process to be ready. */
export const isLaunched: boolean = process.send !== undefined

const send = (message: Message, sent: () => void): void => {
  if (process.send === undefined || !process.connected) return sent()
  process.send(message, sent)
}

/** Reports progress to the launcher, if there is one. Does not wait: no other fiber may run during a migration. */
export const reportToLauncher = (progress: string): Effect.Effect<void> =>
  Effect.sync(() => send({ progress }, () => {}))

/** Reports to the launcher, if there is one, that the daemon is ready. */
export const tellLauncher: Effect.Effect<void> = Effect.async((resume) =>
  send("ready", () => {
    if (process.connected) process.disconnect()
    resume(Effect.void)
  })
)
