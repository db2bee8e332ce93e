/** Writes that are retried until the store takes them. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { StoreError } from "../../src/domain/errors.js"
import * as PersistRetry from "../../src/manager/internal/persistRetry.js"
import * as Shutdown from "../../src/manager/internal/Shutdown.js"
import { RealClock } from "../../src/internal/RealClock.js"
import { unknownId } from "../support/jobs.js"

const failure = (reason: StoreError["reason"]) =>
  new StoreError({ operation: "write", reason, cause: new Error("the store fails") })

describe("a write that fails", () => {
  it.effect("is repeated after a pause that grows, and not at once", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const write = Effect.suspend(() => {
        order.push("write")
        return order.length < 6 ? failure("busy") : Effect.succeed("written")
      })
      const wall = yield* RealClock
      const recording = { ...wall, sleep: (millis: number) => Effect.sync(() => void order.push(`pause ${millis}`)) }
      yield* Effect.gen(function* () {
        const { health, persist } = yield* PersistRetry.make(yield* Shutdown.make)
        expect(yield* persist(unknownId, write)).toBe("written")
        expect(yield* health).toEqual({ healthy: true, unrecorded: [] })
      }).pipe(Effect.provideService(RealClock, recording))
      expect(order).toEqual(["write", "pause 20", "write", "pause 40", "write", "pause 80", "write"])
    })
  )

  it.effect("fails at once when the store has closed", () =>
    Effect.gen(function* () {
      const { health, persist } = yield* PersistRetry.make(yield* Shutdown.make)
      expect(yield* Effect.flip(persist(unknownId, failure("closed")))).toMatchObject({ reason: "closed" })
      expect(yield* health).toEqual({ healthy: true, unrecorded: [] })
    })
  )
})

describe("the oldest write that waits", () => {
  const healthAt = (age: Duration.DurationInput) =>
    Effect.gen(function* () {
      const { health } = yield* PersistRetry.make(yield* Shutdown.make, Effect.succeed(Duration.decode(age)))
      return yield* health
    })

  it.effect("is shown from one second on, and makes the manager unhealthy from ten seconds on", () =>
    Effect.gen(function* () {
      expect(yield* healthAt("900 millis")).toEqual({ healthy: true, unrecorded: [] })
      expect(yield* healthAt("2 seconds")).toEqual({
        healthy: true,
        unrecorded: [],
        oldestWrite: Duration.seconds(2)
      })
      expect(yield* healthAt("10 seconds")).toMatchObject({ healthy: false, oldestWrite: Duration.seconds(10) })
    })
  )
})
