/**
 * The shutdown of a process that manages jobs: in order, but within ten seconds even if jobs hang, and at once on a second signal.
 */
import { Context, Effect, Fiber, Runtime, type Scope } from "effect"
import { RealClock } from "../../internal/RealClock.js"
import type { ProcessRunner } from "../../process/ProcessRunner.js"

/** Exits at once; tests that run in the same process replace this. */
export class Halt extends Context.Reference<Halt>()("charlotte/Halt", {
  // oxlint-disable-next-line unicorn/no-process-exit -- exiting at once, even while something runs, is its purpose
  defaultValue: () => (code: number) => Effect.sync((): void => process.exit(code))
}) {}

type Runner = Pick<ProcessRunner["Type"], "hurry">

/** Milliseconds of real time since the shutdown began: first all grace periods end, then the process exits. */
const hurryAfter = 7_000
const giveUpAfter = 9_500

/** Milliseconds after the second signal. */
const lastMoment = 900

/** Runs the shutdown of all jobs with that deadline. The next manager recovers what could not be recorded by then. */
export const bounded = (end: Effect.Effect<void>, { hurry }: Runner): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const halt = yield* Halt
    const watch = Effect.gen(function* () {
      yield* sleep(hurryAfter)
      yield* Effect.logWarning("grace period exceeded, killing remaining processes")
      yield* hurry
      yield* sleep(giveUpAfter - hurryAfter)
      yield* Effect.logError("shutdown takes too long, exiting; the next start recovers the rest")
      yield* halt(0)
    })
    const watching = yield* Effect.forkDaemon(Effect.interruptible(watch))
    yield* end
    yield* Fiber.interrupt(watching)
  })

const signals = ["SIGINT", "SIGTERM"] as const

/** Signals within this many milliseconds count as one: npx, for example, forwards signals that the terminal sends to the whole group. */
const echo = 100

/**
 * Handles repeated signals; the first one, which interrupts the program, is handled elsewhere. The second ends all grace periods, and
 * with `force` the process exits shortly after.
 */
export const hurryOnSignal = (
  { hurry }: Runner,
  options: { readonly force: boolean }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { now, sleep } = yield* RealClock
    const halt = yield* Halt
    const runFork = Runtime.runFork(yield* Effect.runtime())
    const force = Effect.gen(function* () {
      yield* sleep(lastMoment)
      yield* Effect.logError("forced to exit; the next start recovers the rest")
      yield* halt(1)
    })
    let first: number | undefined
    const onRepeat = Effect.gen(function* () {
      const at = yield* now
      first ??= at
      if (at - first <= echo) return
      yield* hurry
      if (options.force) yield* force
    })
    const onSignal = () => void runFork(onRepeat)
    // Closing the terminal is a shutdown too: processes of jobs get no SIGHUP, and must not be left behind.
    const onHangup = () => void process.emit("SIGTERM")
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        for (const signal of signals) process.on(signal, onSignal)
        process.on("SIGHUP", onHangup)
      }),
      () =>
        Effect.sync(() => {
          for (const signal of signals) process.off(signal, onSignal)
          process.off("SIGHUP", onHangup)
        })
    )
  })
