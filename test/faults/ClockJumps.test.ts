/**
 * A wall clock that is set forwards and backwards by years.
 */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { crash, databaseFile, eventsOf, life, seen, startJob } from "../manager/lives.js"

const set = (date: string) => TestClock.setTime(DateTime.toEpochMillis(DateTime.unsafeMake(date)))

const years = ["2026-01-01", "1980-01-01", "2050-01-01", "2026-01-02"]

describe("a wall clock that jumps by years", () => {
  const layer = JobManager.layer({ maxJobs: 100 }).pipe(
    Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer(), RunStore.layerMemory))
  )

  it.scoped("keeps job ids increasing, and lists in start order", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { list } = yield* RunStore.RunStore
      const ids = yield* Effect.forEach(years, (year) => Effect.zipRight(set(year), startJob))
      expect([...ids].sort()).toEqual(ids)
      expect(yield* manager.list).toEqual(ids)
      expect((yield* list()).map(({ id }) => id)).toEqual([...ids].reverse())
      expect((yield* list()).map(({ createdAt }) => DateTime.formatIsoDateUtc(createdAt))).toEqual([...years].reverse())
    }).pipe(Effect.provide(layer))
  )

  it.scoped("ends no job, and leaves no gap in its events", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      yield* set("2026-01-01")
      const id = yield* startJob
      for (const year of years) {
        yield* set(year)
        yield* send(id, Step.emit({ type: year }), Step.flush)
        yield* seen(id, year)
        expect(yield* manager.list).toEqual([id])
      }
      yield* set("2025-12-31")
      yield* send(id, Step.succeed("done"))
      // By this clock it ended before it started.
      expect((yield* manager.await(id)).status).toBe("completed")
      const events = yield* eventsOf(id)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
      expect(events.slice(1, -1).map(({ at }) => DateTime.formatIsoDateUtc(at))).toEqual(years)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("stops a job during the jump gracefully, or with StopTimedOut", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      for (const [to, takes] of [
        ["1980-01-01", Duration.zero],
        ["2050-01-01", Duration.seconds(3)]
      ] as const) {
        yield* set("2026-01-01")
        const id = yield* startJob
        yield* send(id, Step.cleanUp(takes), Step.emit({ type: "ready" }))
        yield* seen(id, "ready")
        const stopping = yield* Effect.fork(Effect.either(manager.stop(id)))
        yield* seen(id, "job.stopping")
        yield* set(to)
        const stopped = yield* Fiber.join(stopping)
        if (stopped._tag === "Right") {
          expect(stopped.right.mode).toBe("graceful")
          expect(Duration.toMillis(stopped.right.elapsed)).toBeGreaterThanOrEqual(0)
        } else {
          expect(stopped.left).toMatchObject({ _tag: "StopTimedOut", jobId: id })
        }
        // In either case it has ended, exactly once.
        expect((yield* manager.await(id)).status).toBe("cancelled")
        expect((yield* eventsOf(id)).map(({ type }) => type)).toEqual([
          "job.started",
          "ready",
          "job.stopping",
          "job.cancelled"
        ])
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("a wall clock that jumps by years between two managers", () => {
  for (const [died, next] of [
    ["2050-01-01", "1990-01-01"],
    ["1990-01-01", "2050-01-01"]
  ] as const) {
    it.scoped(`from ${died} to ${next}: resumes a crashed job as usual`, () =>
      Effect.gen(function* () {
        const file = yield* databaseFile
        yield* set(died)
        const id = yield* crash(file)(startJob)
        yield* set(next)
        yield* Effect.gen(function* () {
          const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
          yield* send(id, Step.succeed("done"))
          const manager = yield* JobManager.JobManager
          expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
          expect((yield* eventsOf(id)).map(({ type }) => type)).toEqual([
            "job.started",
            "job.interrupted",
            "job.resumed",
            "job.completed"
          ])
        }).pipe(life(file))
      })
    )
  }
})
