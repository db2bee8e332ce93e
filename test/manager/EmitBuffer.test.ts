import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Fiber, Option, Runtime } from "effect"
import * as EmitBuffer from "../../src/manager/internal/EmitBuffer.js"
import { interleaved } from "../support/interleaving.js"

const at = DateTime.unsafeMake(0)

const forking = Effect.map(Effect.runtime(), (runtime) => {
  const fork = Runtime.runFork(runtime)
  return (effect: Effect.Effect<void>) => Effect.sync(() => void fork(effect))
})

describe("emitted events", () => {
  it.effect("without a wait in between are one write", () =>
    Effect.gen(function* () {
      const written: Array<ReadonlyArray<string>> = []
      const queue = yield* EmitBuffer.make({
        fork: yield* forking,
        write: (events) => Effect.sync(() => void written.push(events.map(({ type }) => type))),
        beforeWait: Effect.void,
        closed: Effect.dieMessage("closed")
      })
      const emit = (type: string) => queue.offer({ at, type, payload: undefined })
      yield* emit("one")
      yield* emit("two")
      yield* emit("three")
      yield* queue.flush
      yield* emit("four")
      yield* queue.flush
      expect(written).toEqual([["one", "two", "three"], ["four"]])
    })
  )

  it.effect("are written one batch at a time and in order, however fibers yield", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 300; seed++) {
        const written: Array<string> = []
        let writing = 0
        yield* Effect.gen(function* () {
          const queue = yield* EmitBuffer.make({
            fork: yield* forking,
            beforeWait: Effect.void,
            closed: Effect.dieMessage("closed"),
            write: (events) =>
              Effect.gen(function* () {
                expect(++writing).toBe(1)
                yield* Effect.yieldNow()
                written.push(...events.map(({ type }) => type))
                writing -= 1
              })
          })
          const emit = (n: number) => queue.offer({ at, type: String(n), payload: undefined })
          const emitting = yield* Effect.fork(
            Effect.forEach(Array(40).keys(), (n) => Effect.zipRight(Effect.yieldNow(), emit(n)), { discard: true })
          )
          yield* Fiber.join(emitting)
          yield* queue.flush
        }).pipe(interleaved(seed))
        expect(written, `seed ${seed}`).toEqual(Array.from({ length: 40 }, (_, n) => String(n)))
      }
    })
  )

  it.live("are written wherever the emitting fiber is interrupted", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 300; seed++) {
        const written: Array<string> = []
        const flushed = yield* Effect.gen(function* () {
          const queue = yield* EmitBuffer.make({
            fork: yield* forking,
            beforeWait: Effect.void,
            closed: Effect.dieMessage("closed"),
            write: (events) => Effect.sync(() => void written.push(...events.map(({ type }) => type)))
          })
          const emitting = yield* Effect.fork(queue.offer({ at, type: "one", payload: undefined }))
          for (let i = seed % 8; i > 0; i--) yield* Effect.yieldNow()
          yield* Fiber.interrupt(emitting)
          yield* queue.offer({ at, type: "two", payload: undefined })
          return yield* Effect.timeoutOption(queue.flush, "2 minutes")
        }).pipe(interleaved(seed))
        expect(Option.isSome(flushed), `seed ${seed}`).toBe(true)
        expect(written.at(-1)).toBe("two")
      }
    })
  )

  it.effect("wait while 1,024 events are queued, and continue when there is room", () =>
    Effect.gen(function* () {
      const latch = yield* Effect.makeLatch()
      let accepted = 0
      const written: Array<string> = []
      const queue = yield* EmitBuffer.make({
        fork: yield* forking,
        beforeWait: Effect.void,
        closed: Effect.dieMessage("closed"),
        write: (events) =>
          Effect.zipRight(
            latch.await,
            Effect.sync(() => void written.push(...events.map(({ type }) => type)))
          )
      })
      const emitting = yield* Effect.fork(
        Effect.forEach(
          Array(1_030).keys(),
          (n) => Effect.map(queue.offer({ at, type: String(n), payload: undefined }), () => void accepted++),
          { discard: true }
        )
      )
      yield* Effect.repeatN(Effect.yieldNow(), 2_000)
      expect(accepted).toBe(1_024)
      expect(emitting.unsafePoll()).toBeNull()
      yield* latch.open
      yield* Fiber.join(emitting)
      yield* queue.flush
      expect(written).toEqual(Array.from({ length: 1_030 }, (_, n) => String(n)))
    })
  )
})
