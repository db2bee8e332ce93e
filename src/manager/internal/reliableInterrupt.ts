/**
 * Interruption that arrives. Effect 3.22 drops one that reaches a fiber while a scope with several finalizers closes: the
 * fiber refs that a finalizer restores no longer hold it. `test/manager/reliableInterrupt.test.ts` reproduces that, and
 * fails once Effect no longer does it.
 */
import { Cause, Effect, Fiber, type FiberId, FiberRef } from "effect"
import { WallClock } from "../../store/WallClock.js"

/** Milliseconds between two checks. */
const pause = 50

/** Interrupts a fiber that has not been interrupted, or no longer knows. */
const redeliver = (fiber: Fiber.RuntimeFiber<unknown, unknown>, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.suspend(() =>
    Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause)) ? Fiber.interruptAsFork(fiber, by) : Effect.void
  )

/** Interrupts a fiber, and again if it has lost that; returns when it has ended. Run it in a fiber that is not interrupted. */
export const reliableInterrupt = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  by: FiberId.FiberId
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep } = yield* WallClock
    yield* Fiber.interruptAsFork(fiber, by)
    yield* Effect.raceFirst(Fiber.await(fiber), Effect.forever(Effect.zipRight(sleep(pause), redeliver(fiber, by))))
  })

type Fibers = ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>

/** The fibers that these have forked, and so on. A fiber that comes to its end forgets its own. */
export const withDescendants = (fibers: Fibers): Effect.Effect<Fibers> =>
  Effect.map(
    Effect.forEach(fibers, (fiber) => Effect.flatMap(Fiber.children(fiber), withDescendants)),
    (descendants) => [...fibers, ...descendants.flat()]
  )

/**
 * Repeats the interruption that the end of their parent has sent to these fibers, until all have ended. They have to be known
 * from before.
 */
export const repeatInterruption = (fibers: Fibers, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep } = yield* WallClock
    for (let alive = fibers; alive.length > 0;) {
      yield* sleep(pause)
      alive = (yield* withDescendants(alive)).filter((fiber) => fiber.unsafePoll() === null)
      yield* Effect.forEach(alive, (fiber) => redeliver(fiber, by), { discard: true })
    }
  })
