/** Processes that contend for locks, as their parent sees them. */
import { Effect, Exit, Mailbox, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { bundle } from "../support/bundle.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const Verdict = Schema.Union(
  Schema.Struct({ tag: Schema.Literal("ready", "released") }),
  Schema.Struct({ tag: Schema.Literal("won"), child: Schema.Int }),
  Schema.Struct({
    tag: Schema.Literal("lost"),
    error: Schema.String,
    message: Schema.String,
    /** The pid that it was told, or 0. */
    holder: Schema.Int
  })
)
export type Verdict = typeof Verdict.Type

const decode = Schema.decodeSync(Schema.parseJson(Verdict))

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The program, bundled, so that many of it can be started; it goes with the scope. */
export const program: Effect.Effect<string, never, Scope.Scope> = Effect.flatMap(TemporaryDirectory.make, (directory) =>
  bundle(directory, here("program.ts"))
)

export interface Contender {
  readonly pid: number
  /** Writes a line to it. */
  readonly tell: (line: string) => Effect.Effect<void>
  /** The next that it says. */
  readonly next: Effect.Effect<Verdict>
  /** Tells it something, and waits for what it says. */
  readonly ask: (line: string) => Effect.Effect<Verdict>
  /** SIGKILL; returns when it is gone. */
  readonly kill: Effect.Effect<void>
}

/** A process that is ready; it is killed when the scope closes. `under` is a command that runs it. */
export const start = (
  program: string,
  { env = {}, under = [] }: { readonly under?: ReadonlyArray<string>; readonly env?: Record<string, string> } = {}
): Effect.Effect<Contender, never, Scope.Scope> =>
  Effect.gen(function* () {
    const said = yield* Mailbox.make<Verdict>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const [command = "", ...args] = [...under, process.execPath, program]
        return spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } })
      }),
      (child) => kill(child)
    )
    createInterface(child.stdout).on("line", (line) => said.unsafeOffer(decode(line)))
    child.on("close", () => said.unsafeDone(Exit.void))
    // What is written to one that was killed goes nowhere.
    child.stdin.on("error", () => {})
    const next = Effect.orDie(said.take)
    const tell = (line: string) => Effect.sync(() => void child.stdin.write(`${line}\n`))
    yield* next
    return {
      pid: child.pid ?? 0,
      tell,
      next,
      ask: (line) => Effect.zipRight(tell(line), next),
      kill: kill(child)
    }
  })

const kill = (child: ReturnType<typeof spawn>) =>
  Effect.promise(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    // What it has started under a command of ours may end a moment later, and closes its output then.
    const ended = once(child, "close")
    child.kill("SIGKILL")
    await ended
  })
