import { describe, expect, it } from "@effect/vitest"
import { DateTime, Deferred, Duration, Effect, Fiber, Ref, TestClock } from "effect"
import type { ParkOptions } from "../../../src/manager/Orchestrator.js"
import * as UnitActivity from "../../../src/tasks/run/UnitActivity.js"

/** The activity of some units, and what their job has parked for. */
const activityOf = (units: number) =>
  Effect.gen(function* () {
    const parks = yield* Ref.make<ReadonlyArray<ParkOptions>>([])
    const park = (options: ParkOptions) =>
      Effect.zipRight(
        Ref.update(parks, (all) => [...all, options]),
        Effect.never
      )
    const activity = yield* UnitActivity.make({ park }, units)
    return { activity, reasons: Effect.map(Ref.get(parks), (all) => all.map(({ reason }) => reason)), parks }
  })

const until = (minutes: number, reason = `until ${minutes}`) => ({
  reason,
  until: DateTime.unsafeMake(minutes * 60_000)
})

const settleDown = TestClock.adjust(0)

describe("the units of a job that wait for their agent", () => {
  it.scoped("park it once no other unit can go on, until the earliest time", () =>
    Effect.gen(function* () {
      const { activity, parks, reasons } = yield* activityOf(3)
      yield* Effect.fork(activity.awaitAgent(until(5)))
      yield* Effect.fork(activity.awaitAgent(until(3)))
      yield* settleDown
      expect(yield* reasons).toEqual([])
      yield* Effect.fork(activity.end)
      yield* settleDown
      expect(yield* Ref.get(parks)).toEqual([until(3, "until 5; until 3")])
    })
  )

  it.scoped("park it until a time at which it is only tried again, unless an agent is free by then", () =>
    Effect.gen(function* () {
      const parkedFor = (...waits: ReadonlyArray<UnitActivity.Wait>) =>
        Effect.gen(function* () {
          const { activity, parks } = yield* activityOf(waits.length)
          for (const wait of waits) yield* Effect.fork(activity.awaitAgent(wait))
          yield* settleDown
          return (yield* Ref.get(parks)).map(({ tentative }) => tentative)
        })
      const tentative = (minutes: number) => ({ ...until(minutes), tentative: true })
      expect(yield* parkedFor(tentative(3), until(5))).toEqual([true])
      expect(yield* parkedFor(until(3), tentative(5))).toEqual([undefined])
      expect(yield* parkedFor(tentative(3), until(3))).toEqual([undefined])
    })
  )

  it.scoped("park it for a person as well as for the earliest time", () =>
    Effect.gen(function* () {
      const { activity, parks } = yield* activityOf(4)
      const forPerson = { reason: "not logged in", signal: "charlotte.resume" }
      yield* Effect.fork(activity.awaitAgent(until(5, "limited")))
      yield* Effect.fork(activity.awaitAgent(forPerson))
      yield* Effect.fork(activity.awaitAgent(until(3, "limited")))
      yield* Effect.fork(activity.awaitAgent(forPerson))
      yield* settleDown
      expect(yield* Ref.get(parks)).toEqual([
        { ...until(3), reason: "limited; not logged in", signal: "charlotte.resume" }
      ])
    })
  )

  it.scoped("park it for a person, too, where one has to end a wait that is tried again at a time", () =>
    Effect.gen(function* () {
      const { activity, parks } = yield* activityOf(1)
      const wait = { ...until(60, "claude has nothing left to spend"), tentative: true }
      yield* Effect.fork(activity.awaitAgent({ ...wait, isForPerson: true }))
      yield* settleDown
      expect(yield* Ref.get(parks)).toEqual([{ ...wait, signal: "charlotte.resume" }])
    })
  )

  it.scoped("go on at their time while another unit is at work", () =>
    Effect.gen(function* () {
      const { activity, reasons } = yield* activityOf(2)
      const waiting = yield* Effect.fork(activity.awaitAgent(until(60)))
      yield* TestClock.adjust(Duration.minutes(59))
      expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust(Duration.minutes(1))
      yield* Fiber.join(waiting)
      yield* activity.end
      expect(yield* reasons).toEqual([])
      yield* Effect.fork(activity.awaitAgent(until(90)))
      yield* settleDown
      expect(yield* reasons).toEqual(["until 90"])
    })
  )

  it.scoped("go on within 5 seconds of the end of a limit, which other turns have shown", () =>
    Effect.gen(function* () {
      const { activity } = yield* activityOf(2)
      const isOver = yield* Ref.make(false)
      const waiting = yield* Effect.fork(activity.awaitAgent(until(90), { ...until(60), isOver: Ref.get(isOver) }))
      yield* TestClock.adjust("30 minutes")
      expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
      yield* Ref.set(isOver, true)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(waiting)
    })
  )

  it.scoped("do not park it if their agent is free since they last looked, or while one of them is blocked", () =>
    Effect.gen(function* () {
      const { activity, reasons } = yield* activityOf(3)
      const isOver = yield* Ref.make(false)
      const waiting = yield* Effect.fork(activity.awaitAgent({ ...until(60), isOver: Ref.get(isOver) }))
      yield* TestClock.adjust("5 seconds")
      yield* Ref.set(isOver, true)
      yield* Effect.fork(activity.end)
      let isBlocked = true
      yield* Effect.fork(activity.awaitAgent({ ...until(90), isBlocked: () => isBlocked }))
      yield* TestClock.adjust("1 second")
      expect(yield* reasons).toEqual([])
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(waiting)
      yield* Effect.fork(activity.end)
      yield* settleDown
      expect(yield* reasons).toEqual([])
      isBlocked = false
      yield* TestClock.adjust("5 seconds")
      expect(yield* reasons).toEqual(["until 90"])
    })
  )

  it.scoped("do not park it while a unit that is settled lets another one go on", () =>
    Effect.gen(function* () {
      const { activity, reasons } = yield* activityOf(3)
      const goesOn = yield* Deferred.make<void>()
      yield* Effect.fork(activity.awaitAgent(until(5)))
      yield* Effect.fork(Effect.zipRight(activity.awaitSettled(0), Deferred.succeed(goesOn, undefined)))
      yield* settleDown
      yield* Effect.zipRight(activity.settle(0), activity.end)
      yield* Deferred.await(goesOn)
      expect(yield* reasons).toEqual([])
      yield* Effect.fork(activity.end)
      yield* settleDown
      expect(yield* reasons).toEqual(["until 5"])
    })
  )

  it.scoped(
    "do not park it while a unit that is done lets another one go on, and the wait of a blocked unit ends",
    () =>
      Effect.gen(function* () {
        const { activity, reasons } = yield* activityOf(3)
        const blocked = yield* Effect.fork(activity.awaitAgent(until(5)))
        const goesOn = yield* Effect.fork(activity.awaitDone(0))
        const stays = yield* Effect.fork(activity.settled(0))
        yield* settleDown
        yield* activity.complete(0)
        yield* Fiber.join(goesOn)
        expect(yield* Fiber.poll(stays)).toMatchObject({ _tag: "None" })
        yield* Effect.zipRight(activity.settle(0), activity.end)
        yield* Fiber.join(stays)
        yield* Fiber.interrupt(blocked)
        yield* activity.end
        yield* activity.end
        expect(yield* reasons).toEqual([])
      })
  )

  it.scoped("are none where all units are over: then the job is, too", () =>
    Effect.gen(function* () {
      const { activity, reasons } = yield* activityOf(2)
      yield* Effect.zipRight(activity.settle(0), activity.end)
      yield* activity.awaitSettled(0)
      yield* Effect.zipRight(activity.settle(1), activity.end)
      expect(yield* reasons).toEqual([])
    })
  )
})
