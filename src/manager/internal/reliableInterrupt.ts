/**
 * Interrupts fibers reliably. Effect 3.22 drops an interruption that reaches a fiber while a scope with several finalizers closes:
 * the fiber refs that a finalizer restores no longer hold it. `test/manager/reliableInterrupt.test.ts` reproduces that, and
 * fails once Effect no longer does it.
 */
import { Cause, Effect, Fiber, type FiberId, FiberRef, Schedule } from "effect"
import { asClock } from "../../internal/RealClock.js"

/** When to check whether an interruption was lost: less and less often, since there may be thousands of slow fibers. */
const checks = Schedule.exponential("50 millis").pipe(Schedule.union(Schedule.spaced("1 second")))

/** Repeats a check in real time. */
const repeatedly = (check: Effect.Effect<void>): Effect.Effect<unknown> =>
  Effect.flatMap(asClock, (clock) => Effect.withClock(Effect.schedule(check, checks), clock))

/** Interrupts a fiber that has not been interrupted, or has lost its interruption. */
const redeliver = (fiber: Fiber.RuntimeFiber<unknown, unknown>, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.suspend(() =>
    fiber.unsafePoll() === null && Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause))
      ? Fiber.interruptAsFork(fiber, by)
      : Effect.void
  )

/** Interrupts a fiber, again if the interruption is lost; returns when it has ended. Run it in a fiber that is not interrupted. */
export const reliableInterrupt = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  by: FiberId.FiberId
): Effect.Effect<void> =>
  Effect.zipRight(
    Fiber.interruptAsFork(fiber, by),
    Effect.asVoid(Effect.raceFirst(Fiber.await(fiber), repeatedly(redeliver(fiber, by))))
  )

type Fibers = ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>

/** These fibers and all of their descendants. A fiber that ends forgets its children. */
export const withDescendants = (fibers: Fibers): Effect.Effect<Fibers> =>
  Effect.map(
    Effect.forEach(fibers, (fiber) => Effect.flatMap(Fiber.children(fiber), withDescendants)),
    (descendants) => [...fibers, ...descendants.flat()]
  )

/**
 * Repeats the interruption that the end of their parent has sent to these fibers, until all have ended. They have to be
 * collected before their parent ends.
 */
export const repeatInterruption = (fibers: Fibers, by: FiberId.FiberId): Effect.Effect<void> =>
  Effect.asVoid(
    Effect.raceFirst(
      Fiber.awaitAll(fibers),
      repeatedly(
        Effect.flatMap(withDescendants(fibers), (all) =>
          Effect.forEach(all, (fiber) => redeliver(fiber, by), { discard: true })
        )
      )
    )
  )
