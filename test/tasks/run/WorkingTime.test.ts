import { describe, expect, it } from "@effect/vitest"
import { DateTime, Deferred, Duration, Effect, Fiber, TestClock } from "effect"
import * as limits from "../../../src/tasks/run/limits.js"
import * as WorkingTime from "../../../src/tasks/run/WorkingTime.js"

const settleDown = TestClock.adjust(0)

describe("the time for which all units of a job wait", () => {
  it.effect("does not include time in which one of them is at work", () =>
    Effect.gen(function* () {
      const working = yield* WorkingTime.make
      const waited = Effect.map(working.waited, Duration.toMinutes)
      const [one, two] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      yield* TestClock.adjust("1 minutes")
      const first = yield* Effect.fork(working.work(Deferred.await(one)))
      const second = yield* Effect.fork(working.work(Deferred.await(two)))
      yield* TestClock.adjust("10 minutes")
      expect(yield* waited).toBe(1)
      yield* Deferred.succeed(one, undefined)
      yield* Fiber.join(first)
      yield* TestClock.adjust("10 minutes")
      expect(yield* waited).toBe(1)
      yield* Deferred.succeed(two, undefined)
      yield* Fiber.join(second)
      yield* TestClock.adjust("10 minutes")
      expect(yield* waited).toBe(11)
    })
  )

  it.effect("includes pauses within the work, also of work that is interrupted", () =>
    Effect.gen(function* () {
      const working = yield* WorkingTime.make
      const waited = Effect.map(working.waited, Duration.toMinutes)
      const pausing = yield* Effect.fork(
        working.work(Effect.zipRight(working.pause(Effect.sleep("5 minutes")), Effect.never))
      )
      yield* TestClock.adjust("8 minutes")
      expect(yield* waited).toBe(5)
      yield* Fiber.interrupt(pausing)
      const interrupted = yield* Effect.fork(working.work(working.pause(Effect.never)))
      yield* settleDown
      yield* Fiber.interrupt(interrupted)
      yield* TestClock.adjust("2 minutes")
      expect(yield* waited).toBe(7)
      yield* Effect.fork(working.work(Effect.never))
      yield* TestClock.adjust("2 minutes")
      expect(yield* waited).toBe(7)
    })
  )
})

describe("the limit of the duration of a job", () => {
  const limited = Effect.map(WorkingTime.make, (working) => {
    const snapshot = { at: DateTime.unsafeMake(0), plan: { settings: { limits: { duration: Duration.seconds(60) } } } }
    return { working, within: limits.within({ parkedFor: Duration.hours(1), snapshot, working }) }
  })

  /** In steps: time that passes at once counts as a pause of the process. */
  const pass = (seconds: number) => Effect.repeatN(TestClock.adjust("5 seconds"), seconds / 5 - 1)

  it.effect("is reached by work alone", () =>
    Effect.gen(function* () {
      const { within, working } = yield* limited
      yield* working.work(TestClock.setTime(Duration.toMillis("1 hours")))
      const unit = yield* Effect.fork(Effect.flip(within(Effect.never)))
      yield* pass(55)
      expect(yield* Fiber.poll(unit)).toMatchObject({ _tag: "None" })
      yield* pass(5)
      expect(yield* Fiber.join(unit)).toMatchObject({ _tag: "LimitReached" })
    })
  )

  it.effect("counts no time in which all units wait, in this and in later work", () =>
    Effect.gen(function* () {
      const { within, working } = yield* limited
      yield* working.work(TestClock.setTime(Duration.toMillis("1 hours")))
      const first = yield* Effect.fork(within(working.pause(Effect.sleep("30 minutes"))))
      yield* TestClock.adjust("30 minutes")
      yield* Fiber.join(first)
      yield* TestClock.adjust("20 minutes")
      const pausing = Effect.zipRight(working.pause(Effect.sleep("2 minutes")), Effect.never)
      const second = yield* Effect.fork(Effect.flip(within(pausing)))
      yield* pass(100)
      // While one unit pauses, the other is at work.
      yield* Effect.fork(within(Effect.sleep("40 seconds")))
      yield* pass(55)
      expect(yield* Fiber.poll(second)).toMatchObject({ _tag: "None" })
      yield* pass(10)
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "LimitReached" })
    })
  )
})
