/**
 * Interruption that arrives. Effect 3.22 drops one that reaches a fiber while a scope with several finalizers closes: the
 * fiber refs that a finalizer restores no longer hold it. `test/manager/internal/reliableInterrupt.test.ts` reproduces that, and
 * fails once Effect no longer does it.
 */
import { Cause, Effect, Fiber, type FiberId, FiberRef, RuntimeFlags } from "effect"
import { WallClock } from "../../store/WallClock.js"

/** Milliseconds between two checks. */
const pause = 50

const redeliver = (fiber: Fiber.RuntimeFiber<unknown, unknown>, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.suspend(() =>
    Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause))
      ? Fiber.interruptAsFork(fiber, by)
      : redeliverToChildren(fiber, by)
  )

/** A fiber that has come to its end interrupts its children, and waits for them. */
const redeliverToChildren = (fiber: Fiber.RuntimeFiber<unknown, unknown>, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (!RuntimeFlags.windDown(yield* fiber.runtimeFlags)) return
    yield* Effect.forEach(yield* Fiber.children(fiber), (child) => redeliver(child, by), { discard: true })
  })

const untilEnded = (fiber: Fiber.RuntimeFiber<unknown, unknown>, check: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep } = yield* WallClock
    yield* Effect.raceFirst(Fiber.await(fiber), Effect.forever(Effect.zipRight(sleep(pause), check)))
  })

/** Interrupts a fiber, and again if it has lost that; returns when it has ended. Run it in a fiber that is not interrupted. */
export const reliableInterrupt = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  by: FiberId.FiberId
): Effect.Effect<void> => Effect.zipRight(Fiber.interruptAsFork(fiber, by), untilEnded(fiber, redeliver(fiber, by)))

/** Returns when a fiber whose effect has ended has seen its children end. */
export const childrenEnded = (fiber: Fiber.RuntimeFiber<unknown, unknown>, by: FiberId.FiberId): Effect.Effect<void> =>
  untilEnded(fiber, redeliverToChildren(fiber, by))
