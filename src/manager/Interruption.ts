/**
 * Interruption that arrives. Effect 3.22 can lose one: when it comes while a scope with several finalizers closes, the
 * restored fiber refs of a finalizer forget it, and the fiber goes on. So a fiber that was told to end is looked at until it
 * has ended, and told again when it no longer knows.
 */
import { Cause, Effect, type Fiber, FiberId, FiberRef } from "effect"
import { WallClock } from "../store/WallClock.js"

/** Tells a fiber to end, until it has; returns at once. */
export type Interrupt = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => Effect.Effect<void>

/** Milliseconds between two looks. */
const pause = 50

/** `fork` runs the looking, one fiber for all; there is none while nobody is told to end. */
export const make = (fork: (effect: Effect.Effect<void>) => void): Effect.Effect<Interrupt> =>
  Effect.map(WallClock, (clock) => {
    const told = new Set<Fiber.RuntimeFiber<unknown, unknown>>()

    const look: Effect.Effect<void> = Effect.suspend(() => {
      for (const fiber of told) {
        if (fiber.unsafePoll() !== null) told.delete(fiber)
        else if (Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause))) fiber.unsafeInterruptAsFork(FiberId.none)
      }
      return told.size === 0 ? Effect.void : Effect.zipRight(clock.sleep(pause), look)
    })

    const watch = Effect.sync(() => fork(Effect.zipRight(clock.sleep(pause), look)))

    return (fiber) =>
      Effect.suspend(() => {
        fiber.unsafeInterruptAsFork(FiberId.none)
        const isFirst = told.size === 0
        told.add(fiber)
        // The one that was told gets on before it is looked at.
        return isFirst ? Effect.zipRight(Effect.yieldNow(), watch) : Effect.void
      })
  })
