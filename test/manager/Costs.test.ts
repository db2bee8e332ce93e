/**
 * What a job costs, in counts that depend neither on the machine nor on its load. They hold for the pinned version of Effect; a new
 * version may move them in the commit that pins it.
 */
import { describe, expect, it, vi } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import { Effect, Layer, RuntimeFlags, RuntimeFlagsPatch, Schema, Supervisor } from "effect"
import * as FailingSql from "../support/FailingSql.js"

class Plain extends JobKind.Tag<Plain>()("plain", { config: Schema.Struct({}) }) {}

const store = {
  memory: RunStore.layerMemory,
  SQLite: RunStore.layer.pipe(Layer.provide(Database.layer({ filename: ":memory:" })))
}

const toItsEnd = Effect.gen(function* () {
  const manager = yield* Plain
  yield* manager.await(yield* manager.start({}))
})

const untilStopped = Effect.gen(function* () {
  const manager = yield* Plain
  yield* manager.stop(yield* manager.start({}))
})

/** Counts the operations of all fibers that its own fiber starts. */
class Operations extends Supervisor.AbstractSupervisor<void> {
  readonly value = Effect.void
  count = 0
  fibers = 0
  override onStart() {
    this.fibers += 1
  }
  override onEffect() {
    this.count += 1
  }
}

const lives = 100

const warmUp = 10

/** The average of many lives, since the store does something from time to time. */
const costs = <E>(life: Effect.Effect<void, E, Plain>, run: Effect.Effect<void>, on: keyof typeof store) => {
  const operations = new Operations()
  return Effect.gen(function* () {
    yield* Effect.replicateEffect(life, warmUp)
    const fiber = yield* Effect.withFiberRuntime<object>(Effect.succeed)
    const setting = vi.spyOn<{ setFiberRef: () => void }, "setFiberRef">(Object.getPrototypeOf(fiber), "setFiberRef")
    operations.count = operations.fibers = 0
    yield* Effect.replicateEffect(life, lives)
    const average = {
      operations: operations.count / lives,
      fibers: operations.fibers / lives,
      fiberRefs: setting.mock.calls.length / lives
    }
    setting.mockRestore()
    process.stdout.write(`${on}: ${JSON.stringify(average)}\n`)
    return average
  }).pipe(
    Effect.provide(Layer.provide(Plain.layer({ run: () => run }), store[on])),
    Effect.supervised(operations),
    Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.enable(RuntimeFlags.OpSupervision))
  )
}

describe("a job of a kind without options", () => {
  it.live("costs at most 320 operations of Effect's run loop, 2 fibers and no change of a fiber ref", () =>
    Effect.gen(function* () {
      const { fiberRefs, fibers, operations } = yield* costs(toItsEnd, Effect.void, "memory")
      expect(operations).toBeLessThan(320)
      expect(fibers).toBeLessThan(2.1)
      expect(fiberRefs).toBeLessThan(0.1)
    })
  )

  it.live("costs at most 425 operations, 6 fibers and 7 changes of fiber refs if it is stopped", () =>
    Effect.gen(function* () {
      const { fiberRefs, fibers, operations } = yield* costs(untilStopped, Effect.never, "memory")
      expect(operations).toBeLessThan(425)
      expect(fibers).toBeLessThan(6.1)
      expect(fiberRefs).toBeLessThan(7)
    })
  )

  it.live("costs at most 840 operations on SQLite, with one caller and so two commits for each job", () =>
    Effect.gen(function* () {
      const { fiberRefs, operations } = yield* costs(toItsEnd, Effect.void, "SQLite")
      expect(operations).toBeLessThan(840)
      expect(fiberRefs).toBeLessThan(9)
    })
  )

  const yearly = Plain.schedule("yearly", { cron: "0 0 1 1 *", timeZone: "UTC", config: {} })

  it.live.each([
    ["costs", Layer.empty],
    ["with a schedule that has no tick costs", yearly]
  ] as const)("%s 4 writes and 1 read, in 2 transactions, on SQLite", ([, schedule]) =>
    Effect.gen(function* () {
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* Effect.gen(function* () {
        yield* toItsEnd
        yield* clear
        yield* toItsEnd
        const executed = (yield* statements).filter((statement) => !/pragma|charlotte_generation/i.test(statement))
        expect(executed.map((statement) => /^\w+( INTO)?( charlotte_\w+)?/.exec(statement)?.[0])).toEqual([
          "BEGIN",
          "INSERT INTO charlotte_runs",
          "INSERT INTO charlotte_events",
          "COMMIT",
          "BEGIN",
          "SELECT",
          "UPDATE charlotte_runs",
          "INSERT INTO charlotte_events",
          "COMMIT"
        ])
      }).pipe(Effect.provide(Layer.provideMerge(schedule, Plain.layer({ run: () => Effect.void }))))
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))))
  )
})
