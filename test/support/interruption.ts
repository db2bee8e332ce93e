import { expect } from "@effect/vitest"
import { Effect, Exit, Fiber, FiberId, Layer, Option, Ref, Scheduler, Scope } from "effect"
import { isLong } from "./long.js"

export interface Interrupted<A, E> {
  readonly exit: Exit.Exit<A, E>
  /** Whether the interruption came before the end. */
  readonly wasInterrupted: boolean
}

/** Runs an effect in a fiber that is interrupted when it, or a fiber that it has started, comes to its operation number `k`. */
export const interruptedAt = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  k: number
): Effect.Effect<Interrupted<A, E>, never, R> =>
  Effect.suspend(() => {
    const scheduler = new Scheduler.MixedScheduler(2048)
    let operations = 0
    let wasInterrupted = false
    const interrupting = (root: Fiber.RuntimeFiber<A, E>): Scheduler.Scheduler => ({
      scheduleTask: (task, priority) => scheduler.scheduleTask(task, priority),
      shouldYield: (fiber) => {
        if (operations++ !== k) return scheduler.shouldYield(fiber)
        wasInterrupted = root.unsafePoll() === null
        root.unsafeInterruptAsFork(FiberId.none)
        // The interruption is seen when the fiber comes back.
        return 0
      }
    })
    const interrupted = Effect.withFiberRuntime<A, E, R>((root) => Effect.withScheduler(effect, interrupting(root)))
    return Effect.map(Effect.flatMap(Effect.fork(interrupted), Fiber.await), (exit) => ({ exit, wasInterrupted }))
  })

/** As `interruptedAt`, for those who count the operations themselves. */
export const interruptedAfter = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  k: number
): Effect.Effect<Exit.Exit<A, E>, never, R> => Effect.map(interruptedAt(effect, k), ({ exit }) => exit)

/** Dies where an effect hangs, and leaves it behind: it may not end even when it is interrupted. */
const ending = <A, E, R>(effect: Effect.Effect<A, E, R>, what: string): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkDaemon(effect)
    const exit = yield* Effect.timeoutOption(Fiber.await(fiber), "10 seconds")
    return yield* Option.getOrElse(exit, () => Exit.die(new Error(`${what} hangs`)))
  })

/** The operations at which a call is interrupted. */
export interface Steps {
  readonly first: number
  readonly next: (k: number) => number
}

/** The steps for the n-th call of a suite: similar calls are interrupted at different ones. */
export type StepsOf = (n: number) => Steps

export const everyStep: Steps = { first: 0, next: (k) => k + 1 }

export const everyFrom =
  (every: number, seed: number): StepsOf =>
  (n) => ({ first: (seed + n) % Math.min(every, 7), next: (k) => k + every })

/** Every step in the long form; otherwise one of three, and fewer of the few calls that have hundreds. */
export const manySteps: StepsOf = (n) => (isLong ? everyStep : { first: n % 3, next: (k) => k + (k < 120 ? 3 : 21) })

/** Milliseconds for all steps of a call, which are hundreds. */
export const longest = isLong ? 1_200_000 : 120_000

/** A call to interrupt, and what has to hold afterwards. */
export interface Round<R> {
  readonly call: Effect.Effect<unknown, unknown, R>
  readonly check: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<unknown, unknown, R>
}

/**
 * Interrupts a call at each step until it ends uninterrupted, and checks what it leaves behind after each round. A hang of a round,
 * which is the sign of something lost, is reported with its step. Returns how many rounds there were.
 */
export const interruptedEverywhere = <R, R2>(
  { first, next }: Steps,
  prepare: (k: number) => Effect.Effect<Round<R>, unknown, R2>
): Effect.Effect<number, unknown, R | R2> =>
  Effect.gen(function* () {
    for (let rounds = 1, k = first; ; rounds++, k = next(k)) {
      const round = Effect.gen(function* () {
        const { call, check } = yield* prepare(k)
        const { exit, wasInterrupted } = yield* interruptedAt(call, k)
        yield* check(exit)
        return wasInterrupted
      })
      if (!(yield* ending(round, `what was interrupted at operation ${k}`))) return rounds
    }
  })

/**
 * Provides a layer and closes it, unless the test fails: a store that has lost its connection would hang once more, and hide the
 * failure.
 */
export const closing =
  <A, E>(layer: Layer.Layer<A, E>) =>
  <B, E2, R>(test: Effect.Effect<B, E2, R>): Effect.Effect<B, E | E2, Exclude<R, A>> =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      const result = yield* Effect.provide(test, context)
      yield* ending(Scope.close(scope, Exit.void), "closing the layer")
      return result
    })

/** Interrupts what is made of an effect that never ends, at operation k = 1 … 200: it ends then, and nothing of it goes on. */
export const endsWhereverInterrupted = (of: (never: Effect.Effect<never>) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const alive = yield* Ref.make(0)
    const one = Effect.acquireUseRelease(
      Ref.update(alive, (n) => n + 1),
      () => Effect.never,
      () => Ref.update(alive, (n) => n - 1)
    )
    for (let k = 1; k <= 200; k++) {
      const interrupted = yield* Effect.fork(interruptedAfter(of(one), k))
      // It waits for ever where it does not come to so many operations.
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      yield* Fiber.interruptFork(interrupted)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      expect(Option.isSome(yield* Fiber.poll(interrupted)), `at operation ${k}`).toBe(true)
      expect(yield* Ref.get(alive)).toBe(0)
    }
  })
