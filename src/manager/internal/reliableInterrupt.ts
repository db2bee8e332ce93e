/**
 * Interrupts fibers reliably. Effect 3.22 drops an interruption that reaches a fiber while a scope with several finalizers closes:
 * the fiber refs that a finalizer restores no longer hold it. `test/manager/reliableInterrupt.test.ts` reproduces that, and
 * fails once Effect no longer does it.
 */
import { Cause, Effect, Fiber, type FiberId, FiberRef } from "effect"
import { RealClock } from "../../internal/RealClock.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** Interrupts a fiber that has not been interrupted, or has lost its interruption. */
const redeliver = (fiber: AnyFiber, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.suspend(() =>
    fiber.unsafePoll() === null && Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause))
      ? Fiber.interruptAsFork(fiber, by)
      : Effect.void
  )

/** All descendants of a fiber. A fiber that ends forgets its children. */
export const descendants = (fiber: AnyFiber): Effect.Effect<ReadonlyArray<AnyFiber>> =>
  Effect.gen(function* () {
    const children = yield* Fiber.children(fiber)
    const all = [...children]
    for (const child of children) all.push(...(yield* descendants(child)))
    return all
  })

/**
 * Repeats a check until the fibers have ended, in real time, and less and less often, since there may be thousands of slow fibers. The
 * check runs in a child, which the end of the fiber around it interrupts.
 */
const untilEnded = (fibers: ReadonlyArray<AnyFiber>, check: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const checks = Effect.gen(function* () {
      for (let pause = 50; ; pause = Math.min(2 * pause, 1_000)) {
        yield* sleep(pause)
        yield* check
      }
    })
    yield* Effect.fork(Effect.interruptible(checks))
    for (const fiber of fibers) yield* Fiber.await(fiber)
  })

/** Interrupts a fiber, again if the interruption is lost; returns when it has ended. Run it last in a fiber that is not interrupted. */
export const reliableInterrupt = (fiber: AnyFiber, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.zipRight(Fiber.interruptAsFork(fiber, by), untilEnded([fiber], redeliver(fiber, by)))

/**
 * Repeats the interruption that the end of their parent has sent to these fibers, until all have ended. They have to be
 * collected before their parent ends.
 */
export const repeatInterruption = (fibers: ReadonlyArray<AnyFiber>, by: FiberId.FiberId): Effect.Effect<void> =>
  untilEnded(
    fibers,
    Effect.gen(function* () {
      for (const fiber of fibers) {
        for (const each of [fiber, ...(yield* descendants(fiber))]) yield* redeliver(each, by)
      }
    })
  )
