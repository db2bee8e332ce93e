/**
 * Waiting for something, but no longer than so long. A race of two fibers for each wait would cost more than what is waited
 * for, when ten thousand jobs are stopped: here those whose time is up at the same moment share one sleep.
 */
import { Clock, Duration, Effect, Exit, type Fiber, Option } from "effect"
import type * as Once from "./Once.js"

export interface Deadlines {
  /** Calls back when the time is up; what it gives takes that back. */
  readonly after: (time: Duration.Duration, call: () => void) => Effect.Effect<() => void>
  /** What came of it, or none when that was not in time. */
  readonly within: <A, E>(once: Once.Once<A, E>, time: Duration.Duration) => Effect.Effect<Option.Option<A>, E>
}

interface Sleep {
  readonly waiting: Set<() => void>
  readonly fiber: Fiber.RuntimeFiber<void>
}

export const make = (fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>): Deadlines => {
  const sleeps = new Map<number, Sleep>()

  const sleepUntil = (due: number, now: number): Sleep => {
    const waiting = new Set<() => void>()
    const up = Effect.sync(() => {
      sleeps.delete(due)
      for (const tell of waiting) tell()
    })
    const sleep = { waiting, fiber: fork(Effect.zipRight(Effect.sleep(Duration.millis(due - now)), up)) }
    sleeps.set(due, sleep)
    return sleep
  }

  const callAfter = (time: Duration.Duration, now: number, call: () => void) => {
    const due = now + Duration.toMillis(time)
    const { fiber, waiting } = sleeps.get(due) ?? sleepUntil(due, now)
    waiting.add(call)
    return () => {
      waiting.delete(call)
      if (waiting.size > 0 || sleeps.get(due)?.waiting !== waiting) return
      sleeps.delete(due)
      fiber.unsafeInterruptAsFork(fiber.id())
    }
  }

  return {
    after: (time, call) => Effect.map(Clock.currentTimeMillis, (now) => callAfter(time, now, call)),

    within: <A, E>(once: Once.Once<A, E>, time: Duration.Duration) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.async<Option.Option<A>, E>((resume) => {
          const cancel = callAfter(time, now, () => {
            forget()
            resume(Effect.succeedNone)
          })
          const forget = once.whenDone((exit) => {
            cancel()
            resume(Exit.map(exit, Option.some))
          })
          return Effect.sync(() => {
            forget()
            cancel()
          })
        })
      )
  }
}
