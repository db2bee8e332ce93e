import { describe, expect, it } from "@effect/vitest"
import { type JobId, RunStore } from "charlotte"
import { Effect, Fiber, type Layer, type Scope } from "effect"
import { interleaved } from "../../support/interleaving.js"
import { interruptedAfter } from "../../support/interruption.js"
import { at, created, event, id, kind, newRun } from "../runs.js"

/** A running fiber that waits for the next change. */
const waiting = (jobId?: JobId.JobId): Effect.Effect<Fiber.Fiber<void>, never, RunStore.RunStore | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const signal = yield* store.changes(jobId)
    const version = yield* signal.version
    const fiber = yield* Effect.forkScoped(signal.changed(version))
    yield* Effect.yieldNow()
    return fiber
  })

const isWaiting = (fiber: Fiber.Fiber<void>) => Effect.map(Fiber.poll(fiber), ({ _tag }) => _tag === "None")

export const watching = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("changes", () => {
    it.scoped("notify subscribers of the job and of all jobs, and no others", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        const writes = [
          store.append({ jobId: id(1), attempt: 1, events: [event("x")] }),
          store.record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(5) }),
          store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(6) }),
          store.record({ type: "job.completed", jobId: id(1), attempt: 2, at: at(7) })
        ]
        for (const write of writes) {
          const followers = yield* Effect.all([waiting(id(1)), waiting(id(1)), waiting()])
          const bystander = yield* waiting(id(2))
          yield* write
          yield* Effect.forEach(followers, Fiber.join)
          expect(yield* isWaiting(bystander)).toBe(true)
        }
      }).pipe(Effect.provide(layer))
    )

    it.scoped("notify subscribers of a job that does not exist yet", () =>
      Effect.gen(function* () {
        const fiber = yield* waiting(id(1))
        yield* created(1)
        yield* Fiber.join(fiber)
      }).pipe(Effect.provide(layer))
    )

    it.scoped("do not notify when a write is refused", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { key: "a" })
        const followers = yield* Effect.all([waiting(), waiting(id(1)), waiting(id(2))])
        yield* Effect.flip(store.append({ jobId: id(1), attempt: 2, events: [event("x")] }))
        yield* Effect.flip(store.create(newRun(2, { key: "a" })))
        yield* Effect.yieldNow()
        expect(yield* Effect.forEach(followers, isWaiting)).toEqual([true, true, true])
      }).pipe(Effect.provide(layer))
    )

    it.scoped("notify after the commit, when the event can be read", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const signal = yield* store.changes(jobId)
        const before = yield* signal.version
        const seen = yield* Effect.forkScoped(
          Effect.gen(function* () {
            let last = 1
            while (last < 50) {
              const version = yield* signal.version
              const { events } = yield* Effect.flatten(store.events({ kind, jobId, after: last, limit: 100 }))
              last = events.at(-1)?.seq ?? last
              // Each commit notifies once: as many events can be read.
              expect(last - 1).toBeGreaterThanOrEqual(version - before)
              if (last < 50) yield* signal.changed(version)
            }
          })
        )
        for (let n = 2; n <= 50; n++) yield* store.append({ jobId, attempt: 1, events: [event("x")] })
        yield* Fiber.join(seen)
        expect((yield* signal.version) - before).toBe(49)
      }).pipe(Effect.provide(layer))
    )

    it.scoped("lose no wake-up between reading and waiting, at any step", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const signal = yield* store.changes(jobId)
        const follow = (last: number): Effect.Effect<number> =>
          Effect.gen(function* () {
            const version = yield* signal.version
            const { events } = yield* Effect.flatten(store.events({ kind, jobId, after: last, limit: 3 }))
            const next = events.at(-1)?.seq ?? last
            if (next >= 101) return next
            if (events.length === 0) yield* signal.changed(version)
            return yield* follow(next)
          }).pipe(Effect.orDie)
        const readers = yield* Effect.forEach([1, 2, 3, 4, 5], (seed) =>
          Effect.forkScoped(follow(0).pipe(interleaved(seed)))
        )
        yield* Effect.forEach(
          Array.from({ length: 100 }),
          () => store.append({ jobId, attempt: 1, events: [event("x")] }),
          { concurrency: 7 }
        ).pipe(interleaved(7))
        expect(yield* Effect.forEach(readers, Fiber.join)).toEqual([101, 101, 101, 101, 101])
      }).pipe(Effect.provide(layer))
    )

    it.scoped("notify although the writing fiber is interrupted at any step", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const signal = yield* store.changes(jobId)
        for (let k = 0; k < 40; k++) {
          const version = yield* signal.version
          const before = yield* store.latestCursor
          yield* interruptedAfter(store.append({ jobId, attempt: 1, events: [event("x")] }), k)
          if ((yield* store.latestCursor) > before) yield* signal.changed(version)
        }
      }).pipe(Effect.provide(layer))
    )
  })
}
