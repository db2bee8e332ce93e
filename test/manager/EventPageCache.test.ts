import { describe, expect, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { Arbitrary, Chunk, Deferred, Effect, FastCheck, Fiber, FiberId, Ref } from "effect"
import * as EventPageCache from "../../src/manager/internal/EventPageCache.js"

const [event] = FastCheck.sample(Arbitrary.make(JobEvent.JobEvent), 1)

/** A page with so many events. */
const page = (count: number, more: Partial<EventPageCache.Page> = {}): EventPageCache.Page => ({
  events: Chunk.unsafeFromArray(Array.from({ length: count }, () => event).filter((event) => event !== undefined)),
  cursor: count,
  next: "more",
  size: 10,
  ...more
})

/** Pages of which it is counted how often each was read. */
const counted = Effect.gen(function* () {
  const prunings = yield* Ref.make(0)
  const pages = yield* EventPageCache.make(Ref.get(prunings))
  const reads = new Map<string, number>()
  const read = (name: string, page: EventPageCache.Page) =>
    pages(
      name,
      Effect.sync(() => {
        reads.set(name, (reads.get(name) ?? 0) + 1)
        return page
      })
    )
  return { read, reads: (name: string) => reads.get(name) ?? 0, prune: Ref.update(prunings, (n) => n + 1) }
})

describe("a page of the log", () => {
  it.effect("is read once for all who stand there", () =>
    Effect.gen(function* () {
      const { read, reads } = yield* counted
      const first = yield* read("0", page(3))
      const second = yield* read("0", page(5))
      expect(second.events).toBe(first.events)
      expect(reads("0")).toBe(1)
      yield* read("3", page(1))
      expect(reads("3")).toBe(1)
    })
  )

  it.effect("that was the last one is not kept as the last: later readers see what has come after it", () =>
    Effect.gen(function* () {
      const { read } = yield* counted
      expect(yield* read("0", page(3, { next: "wait" }))).toMatchObject({ next: "wait" })
      expect(yield* read("0", page(3))).toMatchObject({ next: "more", cursor: 3 })
    })
  )

  it.effect("that ends a job ends it for everybody", () =>
    Effect.gen(function* () {
      const { read } = yield* counted
      yield* read("0", page(3, { next: "end" }))
      expect(yield* read("0", page(9))).toMatchObject({ next: "end", cursor: 3 })
    })
  )

  it.effect("is read again once runs were pruned, also where it was being read meanwhile", () =>
    Effect.gen(function* () {
      const { prune, read, reads } = yield* counted
      yield* read("0", page(3))
      yield* prune
      expect(yield* read("0", page(5))).toMatchObject({ cursor: 5 })
      expect(reads("0")).toBe(2)

      const pages = yield* EventPageCache.make(Effect.sync(() => (isPruned ? 1 : 0)))
      let isPruned = false
      const pruned = Deferred.unsafeMake<void>(FiberId.none)
      const slow = yield* Effect.fork(pages("0", Effect.as(Deferred.await(pruned), page(3))))
      yield* Effect.yieldNow()
      isPruned = true
      yield* Deferred.succeed(pruned, undefined)
      expect(yield* Fiber.join(slow)).toMatchObject({ cursor: 3 })
      expect(yield* pages("0", Effect.succeed(page(5)))).toMatchObject({ cursor: 5 })
    })
  )

  it.effect("without events is read each time", () =>
    Effect.gen(function* () {
      const { read, reads } = yield* counted
      yield* read("0", page(0, { next: "wait" }))
      expect(yield* read("0", page(2))).toMatchObject({ cursor: 2 })
      expect(reads("0")).toBe(2)
    })
  )

  it.effect("is kept as one of a few, and of a few characters", () =>
    Effect.gen(function* () {
      const { read, reads } = yield* counted
      for (let n = 0; n < 9; n++) yield* read(`${n}`, page(1))
      yield* read("1", page(1))
      yield* read("0", page(1))
      expect([reads("0"), reads("1")]).toEqual([2, 1])

      const large = { size: 600_000 }
      yield* read("large", page(1, large))
      yield* read("larger", page(1, large))
      yield* read("larger", page(1))
      yield* read("large", page(1))
      expect([reads("large"), reads("larger")]).toEqual([2, 1])

      for (const _ of [1, 2]) yield* read("too large", page(1, { size: 2_000_000 }))
      expect(reads("too large")).toBe(2)
    })
  )
})
