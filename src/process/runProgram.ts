/**
 * Runs a short program, such as git, to its end, in a separate session, which a terminal's Ctrl-C does not reach. Agents and gates
 * are run by `ProcessRunner`, which finds what they leave behind.
 */
import { Data, Deferred, Duration, Effect, FiberId } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { constants } from "node:os"
import { pipeline, Readable } from "node:stream"
import * as race from "../internal/race.js"
import { asClock, RealClock } from "../internal/RealClock.js"
import * as runningTime from "../internal/runningTime.js"
import { startFailure } from "./startFailure.js"
import * as Umask from "./Umask.js"

export interface Program {
  /** An absolute path, or a name that is looked for in the `PATH` of `env`. */
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** The program's complete environment. */
  readonly env: Readonly<Record<string, string>>
  /** An iterable is not read further once the program has ended. */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** How long it may take, in time in which this process could run. */
  readonly limit: Duration.Duration
}

export interface ProgramResult {
  /** As in a shell, 128 plus the signal number if a signal killed the program. */
  readonly code: number
  readonly stdout: Buffer
  /** The end of the error output. */
  readonly stderr: string
}

/** The program did not run to its end. */
export class ProgramFailed extends Data.TaggedError("ProgramFailed")<{ readonly message: string }> {}

const maxOutput = 256 * 1024 * 1024

const maxErrors = 20_000

/** Grace period of an interrupted program, so that git can remove its locks. All of these are in milliseconds. */
const grace = 500

/** How long to wait for a killed program. */
const killTime = 5_000

/** How long to wait for the end of the output once the program has ended, if another process still holds it. */
const drainTime = 1_000

/** Interruption sends SIGTERM, SIGKILL after the grace period, and returns when the program has ended. */
export const runProgram = (program: Program): Effect.Effect<ProgramResult, ProgramFailed> =>
  race.first([
    Effect.acquireUseRelease(
      Effect.try({ try: () => start(program), catch: (cause) => notStarted(program, cause) }),
      awaitResult,
      (running) => (running.isOver() ? Effect.sync(running.close) : end(running))
    ),
    tooLong(program.limit)
  ])

const tooLong = (limit: Duration.Duration): Effect.Effect<never, ProgramFailed> =>
  // A program runs in real time, even if a test has set a clock.
  Effect.flatMap(asClock, (clock) => Effect.withClock(runningTime.sleep(limit), clock)).pipe(
    Effect.flatMap(() => new ProgramFailed({ message: `it took longer than ${Duration.format(limit)} and was ended` }))
  )

const notStarted = ({ cwd, file }: Program, cause: unknown) =>
  new ProgramFailed({ message: startFailure({ file, cwd }, cause).message })

interface Running {
  readonly exit: Deferred.Deferred<number, ProgramFailed>
  /** Whether the program has ended, or did not start. */
  readonly isOver: () => boolean
  /** Whether its output has ended, too. */
  readonly isClosed: () => boolean
  readonly output: () => { readonly stdout: Buffer; readonly stderr: string }
  /** Signals the program and its process group. */
  readonly signal: (name: NodeJS.Signals) => void
  /** Stops reading its output, which other processes may still hold. */
  readonly close: () => void
}

const start = (program: Program): Running => {
  const { args, cwd, env, file, input } = program
  const child: ChildProcess = Umask.withInherited(() =>
    spawn(file, args, { cwd, env, detached: true, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] })
  )
  const { pid, stderr, stdin, stdout } = child
  const exit = Deferred.unsafeMake<number, ProgramFailed>(FiberId.none)
  const output: Array<Buffer> = []
  let [size, errors] = [0, ""]
  let [isOver, isClosed, isEnding] = [false, false, false]

  const signal = (name: NodeJS.Signals) => {
    if (pid === undefined) return
    try {
      process.kill(-pid, name)
    } catch {
      // The whole group has ended.
    }
  }
  stdout?.on("data", (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxOutput) output.push(chunk)
    else Deferred.unsafeDone(exit, new ProgramFailed({ message: `it printed more than ${maxOutput} bytes` }))
  })
  stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-maxErrors)
  })
  child.once("error", (cause) => {
    isOver = pid === undefined
    Deferred.unsafeDone(exit, notStarted(program, cause))
  })
  child.once("exit", (code, by) => {
    isOver = true
    // Signal now: once the group is empty, its id may be reused.
    if (isEnding) signal("SIGKILL")
    Deferred.unsafeDone(exit, Effect.succeed(code ?? 128 + (by === null ? 0 : constants.signals[by])))
  })
  child.once("close", () => {
    isClosed = true
  })
  // A program may end before it has read its input.
  stdin?.on("error", () => {})
  if (stdin !== null && typeof input === "object" && Symbol.asyncIterator in input) {
    // If the input fails, it ends early, which the program has to notice.
    pipeline(Readable.from(input, { objectMode: false }), stdin, () => {})
  } else stdin?.end(input)

  return {
    exit,
    isOver: () => isOver,
    isClosed: () => isClosed,
    output: () => ({ stdout: Buffer.concat(output), stderr: errors }),
    signal: (name) => {
      isEnding = true
      if (!isOver) signal(name)
    },
    close: () => [stdin, stdout, stderr].forEach((stream) => stream?.destroy())
  }
}

const awaitResult = (running: Running): Effect.Effect<ProgramResult, ProgramFailed> =>
  Effect.gen(function* () {
    const code = yield* Deferred.await(running.exit)
    yield* waitUntil(running.isClosed, drainTime)
    return { code, ...running.output() }
  })

const end = (running: Running): Effect.Effect<void> =>
  Effect.gen(function* () {
    running.signal("SIGTERM")
    yield* waitUntil(running.isClosed, grace)
    running.signal("SIGKILL")
    yield* waitUntil(running.isClosed, killTime)
    running.close()
  })

/** Polls, since a timeout would wait for uninterruptible work. */
const waitUntil = (condition: () => boolean, millis: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep, turn } = yield* RealClock
    if (!condition()) yield* turn
    for (let waited = 0; !condition() && waited < millis; waited++) yield* sleep(1)
  })
