/**
 * How a process that manages jobs comes to its end: in order, but within ten seconds, whatever its jobs do; and at once, when
 * it is told again.
 */
import { Context, Effect, Fiber, Runtime, type Scope } from "effect"
import { RealClock } from "../internal/RealClock.js"
import type { ProcessRunner } from "../process/ProcessRunner.js"

/** Ends the process on the spot; tests that live in it replace this. */
export class Halt extends Context.Reference<Halt>()("charlotte/Halt", {
  // oxlint-disable-next-line unicorn/no-process-exit -- to end on the spot, whatever still runs, is what it is for
  defaultValue: () => (code: number) => Effect.sync((): void => process.exit(code))
}) {}

type Runner = Pick<ProcessRunner["Type"], "hurry">

/** Milliseconds of real time since the end began: from then on nothing is given time; it is over, with what is left undone. */
const hurryAfter = 7_000
const giveUpAfter = 9_500

/** Milliseconds from the second signal on. */
const lastMoment = 900

/** Runs the end of all jobs, and sees to it that it is one. What was not recorded then, the next manager finds out. */
export const bounded = (end: Effect.Effect<void>, { hurry }: Runner): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const halt = yield* Halt
    const watch = Effect.gen(function* () {
      yield* sleep(hurryAfter)
      yield* Effect.logWarning("what still runs is not given time any more")
      yield* hurry
      yield* sleep(giveUpAfter - hurryAfter)
      yield* Effect.logError("the end takes too long; what is left is settled at the next start")
      yield* halt(0)
    })
    const watching = yield* Effect.forkDaemon(Effect.interruptible(watch))
    yield* end
    yield* Fiber.interrupt(watching)
  })

const signals = ["SIGINT", "SIGTERM"] as const

/** Signals that come so close together, in milliseconds, are one: npx and the like pass on what the terminal has given to all. */
const echo = 100

/**
 * The first signal is everybody's: it interrupts the program. From the second on nothing is given time, and with `force` the
 * process is over a moment later.
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
      yield* Effect.logError("forced to end; what is left is settled at the next start")
      yield* halt(1)
    })
    let first: number | undefined
    const told = Effect.gen(function* () {
      const at = yield* now
      first ??= at
      if (at - first <= echo) return
      yield* hurry
      if (options.force) yield* force
    })
    const onSignal = () => void runFork(told)
    // Whoever closes the terminal leaves as well. What jobs have started does not hear of that, and must not be left behind.
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
