import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Context, Duration, Effect, Fiber } from "effect"
import { event, id, log, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"
import * as tampered from "./tampered.js"

describe("a process that stands still in the middle of a transaction", () => {
  it.scopedLive("holds up others for some seconds only, and writes once when it goes on", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const [still, other] = [yield* tampered.open(url), yield* tampered.open(url)]
      const storeOf = ({ context }: typeof still) => Context.get(context, RunStore.RunStore)
      for (const n of [1, 2]) yield* storeOf(other).create(newRun(n))
      const append = (store: RunStore.RunStore["Type"], n: number) =>
        store.append({ jobId: id(n), attempt: 1, events: [event("step")] })

      const held = yield* still.hold(/^COMMIT$/)
      const appending = yield* Effect.fork(append(storeOf(still), 1))
      yield* held.reached
      const [waited] = yield* Effect.timed(append(storeOf(other), 2))
      expect(Duration.toSeconds(waited)).toBeGreaterThan(2)
      expect(Duration.toSeconds(waited)).toBeLessThan(6)

      yield* held.release
      yield* Fiber.join(appending)
      for (const n of [1, 2]) {
        expect(yield* Effect.provide(log(id(n)), other.context)).toEqual(["1 job.started", "2 step"])
      }
    })
  )
})
