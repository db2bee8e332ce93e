import { describe, expect, it } from "@effect/vitest"
import { type Duration, Effect, Exit, Fiber, Option, Ref, TestClock } from "effect"
import * as race from "../../src/internal/race.js"
import { endsWhereverInterrupted, interruptedAfter } from "../support/interruption.js"

/** Whether a combination of never-ending effects hangs when it is interrupted at some operation k = 1 … 200. */
const hangs = (of: (never: Effect.Effect<never>) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    for (let k = 1; k <= 200; k++) {
      // A daemon, since the test would wait for a child fiber that hangs.
      const fiber = yield* Effect.forkDaemon(interruptedAfter(of(Effect.never), k))
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      yield* Fiber.interruptFork(fiber)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      if (Option.isNone(yield* Fiber.poll(fiber))) return true
    }
    return false
  })

describe("Effect's own concurrency hangs when interrupted just before it starts its fibers", () => {
  const own: Record<string, (never: Effect.Effect<never>) => Effect.Effect<unknown>> = {
    raceFirst: (never) => Effect.raceFirst(never, never),
    "forEach with concurrency": (never) => Effect.forEach([1, 2], () => never, { concurrency: 2 })
  }
  for (const [name, of] of Object.entries(own)) {
    it.live(`${name}: when this fails, src/internal/race.ts may no longer be needed`, () =>
      Effect.map(hangs(of), (hung) => expect(hung).toBe(true))
    )
  }

  it.live("src/internal/race.ts does not hang", () =>
    Effect.gen(function* () {
      expect(yield* hangs((never) => race.first([never, never]))).toBe(false)
      expect(yield* hangs((never) => race.all([never, never]))).toBe(false)
    })
  )
})

describe("race.first", () => {
  it.effect("returns the first result once the others have cleaned up, even if uninterruptible", () =>
    Effect.gen(function* () {
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(order, (all) => [...all, what])
      const slow = Effect.onInterrupt(Effect.never, () => Effect.zipRight(Effect.sleep("1 second"), say("cleaned up")))
      const both = race.first([slow, Effect.delay(Effect.succeed("quick"), "1 second")])
      const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.ensuring(both, say("over"))))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toBe("quick")
      expect(yield* Ref.get(order)).toEqual(["cleaned up", "over"])
      expect(yield* Effect.exit(race.first([Effect.never, Effect.fail("no")]))).toEqual(Exit.fail("no"))
    })
  )

  it.effect("returns the first result if uninterruptible, however often its fiber is interrupted", () =>
    Effect.gen(function* () {
      const both = race.first([Effect.never, Effect.delay(Effect.succeed("quick"), "1 second")])
      const results: Array<string> = []
      const recorded = Effect.map(both, (result) => void results.push(result))
      const fiber = yield* Effect.fork(Effect.onInterrupt(Effect.never, () => recorded))
      yield* Effect.yieldNow()
      for (const _ of ["first", "second", "third"]) {
        yield* Fiber.interruptFork(fiber)
        yield* TestClock.adjust("100 millis")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      }
      yield* TestClock.adjust("700 millis")
      expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
      expect(results).toEqual(["quick"])
    })
  )

  it.effect("ends on an interrupt once all have cleaned up, even if interrupted again meanwhile", () =>
    Effect.gen(function* () {
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(order, (all) => [...all, what])
      const cleaningUp = (duration: Duration.DurationInput, what: string) =>
        Effect.onInterrupt(Effect.never, () => Effect.zipRight(Effect.sleep(duration), say(what)))
      const both = race.first([cleaningUp("2 seconds", "second"), cleaningUp("1 second", "first")])
      const fiber = yield* Effect.fork(Effect.ensuring(both, say("over")))
      yield* Effect.yieldNow()
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust("1 second")
      expect(yield* Ref.get(order)).toEqual(["first"])
      yield* TestClock.adjust("500 millis")
      expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
      expect(yield* Ref.get(order)).toEqual(["first", "second", "over"])
    })
  )

  it.live("ends with all of its fibers when interrupted at operation k = 1 … 200", () =>
    endsWhereverInterrupted((one) => race.first([one, one]))
  )
})

const second = Effect.sleep("1 second")

describe("race.all, race.forEach and race.map", () => {
  it.effect("runs all concurrently and ends with the last", () =>
    Effect.gen(function* () {
      const all = yield* Effect.fork(race.all([second, Effect.sleep("3 seconds"), second]))
      yield* TestClock.adjust("2999 millis")
      expect(Option.isNone(yield* Fiber.poll(all))).toBe(true)
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(all)).toBeUndefined()
      yield* race.all<never, never>([])
    })
  )

  it.effect("fails with the first failure once the others have cleaned up", () =>
    Effect.gen(function* () {
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(order, (all) => [...all, what])
      const other = Effect.onInterrupt(Effect.never, () => Effect.zipRight(Effect.sleep("1 second"), say("cleaned up")))
      const all = yield* Effect.fork(
        Effect.ensuring(race.all([other, Effect.delay(Effect.fail("no"), "1 second")]), say("over"))
      )
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.await(all)).toEqual(Exit.fail("no"))
      expect(yield* Ref.get(order)).toEqual(["cleaned up", "over"])
    })
  )

  it.effect("runs each item once with bounded concurrency", () =>
    Effect.gen(function* () {
      const done: Array<number> = []
      const use = (item: number) =>
        Effect.delay(
          Effect.sync(() => void done.push(item)),
          "1 second"
        )
      const all = yield* Effect.fork(race.forEach([1, 2, 3, 4, 5], 2, use))
      yield* TestClock.adjust("1 second")
      expect(done.toSorted()).toEqual([1, 2])
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(all)
      expect(done.toSorted()).toEqual([1, 2, 3, 4, 5])
      yield* race.forEach([], 2, use)
    })
  )

  it.effect("returns the results in the order of the items", () =>
    Effect.gen(function* () {
      const use = (n: number) => Effect.delay(Effect.succeed(-n), `${n} seconds`)
      const all = yield* Effect.fork(race.map([3, 1, 2], 3, use))
      yield* TestClock.adjust("3 seconds")
      expect(yield* Fiber.join(all)).toEqual([-3, -1, -2])
      expect(yield* race.map([], 2, use)).toEqual([])
    })
  )

  it.live("ends with all of its fibers when interrupted at operation k = 1 … 200", () =>
    endsWhereverInterrupted((one) => race.all([one, one, one]))
  )
})
