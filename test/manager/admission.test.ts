/** What happens to a configuration before its job is admitted, and to the permit meanwhile. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Orchestrator, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Schema } from "effect"

const manage = (orchestrator: Orchestrator.Service<number>, maxJobs: number, config = Schema.Number) =>
  JobManager.make({ kind: "numbers", config, orchestrator, maxJobs })

const turns = Effect.repeatN(Effect.yieldNow(), 50)

describe("a manager without a free permit", () => {
  it.scoped("refuses before the config is decoded, and without a check", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const Noted = Schema.transform(Schema.Number, Schema.Number, {
        strict: true,
        decode: (n) => {
          seen.push("decoded")
          return n
        },
        encode: (n) => n
      })
      const manager = yield* JobManager.make({
        kind: "numbers",
        config: Noted,
        maxJobs: 1,
        orchestrator: {
          check: () => Effect.sync(() => ({ key: `${seen.push("checked")}` })),
          run: () => Effect.never
        }
      })
      yield* manager.start(1)
      expect(seen).toContain("checked")
      seen.length = 0
      expect((yield* Effect.flip(manager.start(2)))._tag).toBe("MaxJobsReached")
      // Not even one that is wrong.
      expect((yield* Effect.flip(manager.start(Number.NaN)))._tag).toBe("MaxJobsReached")
      expect(seen).toEqual([])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("checks", () => {
  it.scoped("are made four at a time, and the permit is held meanwhile", () =>
    Effect.gen(function* () {
      const checking = yield* Ref.make({ now: 0, most: 0 })
      const latch = yield* Effect.makeLatch()
      const check = () =>
        Effect.acquireUseRelease(
          Ref.update(checking, ({ most, now }) => ({ now: now + 1, most: Math.max(most, now + 1) })),
          () => Effect.as(latch.await, {}),
          () => Ref.update(checking, (counts) => ({ ...counts, now: counts.now - 1 }))
        )
      const manager = yield* manage({ check, run: () => Effect.void }, 20)
      const starts = yield* Effect.forEach(Array(20).keys(), (n) => Effect.fork(manager.start(n)))
      yield* turns
      expect(yield* Ref.get(checking)).toEqual({ now: 4, most: 4 })
      expect((yield* Effect.flip(manager.start(20)))._tag).toBe("MaxJobsReached")
      yield* latch.open
      yield* Effect.forEach(starts, (start) => Fiber.join(start))
      expect(yield* Ref.get(checking)).toEqual({ now: 0, most: 4 })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("a permit", () => {
  it.scopedLive("comes back after the record, and before await and stop return", () =>
    Effect.gen(function* () {
      const store = Context.get(yield* Layer.build(RunStore.layerMemory), RunStore.RunStore)
      const recording = yield* Deferred.make<void>()
      const latch = yield* Effect.makeLatch()
      const manager = yield* Effect.provideService(
        manage({ run: ({ config }) => (config === 0 ? Effect.void : Effect.never) }, 1),
        RunStore.RunStore,
        {
          ...store,
          record: (change) =>
            Effect.zipRight(Deferred.succeed(recording, undefined), Effect.zipRight(latch.await, store.record(change)))
        }
      )
      const id = yield* manager.start(0)
      yield* Deferred.await(recording)
      expect((yield* Effect.flip(manager.start(1)))._tag).toBe("MaxJobsReached")
      yield* latch.open
      yield* manager.await(id)
      const next = yield* manager.start(1)
      expect(Exit.isSuccess(yield* Effect.exit(manager.stop(next)))).toBe(true)
      yield* manager.start(2)
    })
  )
})
