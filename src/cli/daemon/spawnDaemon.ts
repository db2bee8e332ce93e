/**
 * Starts the daemon in a process of its own, which outlives this one and its terminal.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { Home } from "../../daemon/Home.js"
import { ParentEnvironment, type Variables } from "../../process/ChildEnvironment.js"

/** It ended before it was ready. */
export class NotStarted extends Schema.TaggedError<NotStarted>()("NotStarted", {
  code: Schema.Int,
  /** What it said of it, as it said it. */
  text: Schema.String
}) {
  override get message() {
    return this.text
  }
}

/** Returns when the daemon is ready. The words are those of a `daemon start --foreground`. */
export const launch = (words: ReadonlyArray<string>): Effect.Effect<void, NotStarted, FileSystem | Home | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const home = yield* Home
    const around = yield* ParentEnvironment
    yield* fs.makeDirectory(home.logs, { recursive: true, mode: 0o700 })
    // Of this process alone until the daemon is ready: others may be started at the same time.
    const draft = path.join(home.logs, `daemon.err.${process.pid}`)
    yield* Effect.acquireUseRelease(
      Effect.sync(() => openSync(draft, "w", 0o600)),
      (err) =>
        Effect.gen(function* () {
          const { code, isReady } = yield* begin(words, { cwd: home.directory, env: environment(around, home), err })
          // What the daemon says after this is found there: such as that its memory is full.
          if (isReady) return yield* fs.rename(draft, path.join(home.logs, "daemon.err"))
          const text = yield* fs.readFileString(draft)
          const fallback = `charlotte: the daemon ended before it was ready (${code})\n`
          return yield* new NotStarted({
            code: typeof code === "number" && code > 0 ? code : 1,
            text: text || fallback
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
  new NotStarted({ code: 1, text: `charlotte: the daemon cannot be started: ${message}\n` })

interface Begun {
  readonly isReady: boolean
  /** With which it ended, or the name of a signal. */
  readonly code: number | string
}

const begin = (
  words: ReadonlyArray<string>,
  { cwd, env, err }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly err: number }
): Effect.Effect<Begun> =>
  Effect.async((resume) => {
    const [, script = ""] = process.argv
    const options = process.execArgv.filter((option) => !option.startsWith("--inspect"))
    const child: ChildProcess = spawn(process.execPath, [...options, script, ...words], {
      cwd,
      env,
      // In a session of its own: no signal of the terminal is meant for it.
      detached: true,
      // The channel carries one message. It is closed before the daemon starts anything.
      stdio: ["ignore", "ignore", err, "ipc"]
    })
    const ended = (code: number | string) => resume(Effect.succeed({ isReady: false, code }))
    child.once("error", ({ message }) => ended(message))
    child.once("exit", (code, signal) => ended(code ?? signal ?? ""))
    child.once("message", () => {
      child.removeAllListeners()
      child.on("error", () => {})
      child.disconnect()
      child.unref()
      resume(Effect.succeed({ isReady: true, code: 0 }))
    })
    // Nobody waits for it any more.
    return Effect.sync(() => child.kill("SIGTERM"))
  })

/** Those of git would turn the daemon towards another repository, and those of Node are for the process that has them. */
const isOfTheMoment = (name: string): boolean => /^(GIT_|NODE_OPTIONS$|NODE_CHANNEL_)/.test(name)

const environment = (around: Variables, { directory }: Home["Type"]): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(around).filter(([name]) => !isOfTheMoment(name))),
  CHARLOTTE_HOME: directory
})

/** Whether another process has launched this one, and waits for it to be ready. */
export const isLaunched: boolean = process.send !== undefined

/** Tells the process that has launched this one, if one has, that it is ready. */
export const tellLauncher: Effect.Effect<void> = Effect.async((resume) => {
  if (process.send === undefined || !process.connected) return resume(Effect.void)
  process.send("ready", () => {
    if (process.connected) process.disconnect()
    resume(Effect.void)
  })
})
