import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Chunk, Deferred, Effect, Fiber, Stream } from "effect"
import { config, unknownId } from "../support/jobs.js"
import { databaseFile, eventsOf, life, seen, startJob, startJobs, statusOf, withStore } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

describe("a manager that is closed", () => {
  it.scopedLive("leaves its jobs interrupted, and the next one continues them under their ids", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* Effect.gen(function* () {
        const id = yield* startJob
        yield* Effect.flatMap(Script, ({ send }) => send(id, Step.emit({ type: "first.life" })))
        yield* seen(id, "first.life")
        return id
      }).pipe(life(file))
      expect(yield* statusOf(id).pipe(withStore(file))).toBe("interrupted")

      yield* Effect.gen(function* () {
        const { send } = yield* Script
        yield* send(id, Step.emit({ type: "second.life" }), Step.succeed("done"))
        const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id))
        expect(run).toMatchObject({ id, status: "completed", attempt: 2, result: "done" })

        const events = yield* eventsOf(id)
        expect(events.map(({ payload, type }) => [type, payload])).toEqual([
          ["job.started", { attempt: 1 }],
          ["first.life", undefined],
          ["job.interrupted", { reason: "shutdown" }],
          ["job.resumed", { attempt: 2 }],
          ["second.life", undefined],
          ["job.completed", undefined]
        ])
        expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
      }).pipe(life(file))
    })
  )

  it.scopedLive("waits for its jobs when it is an interruption that closes it, too", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const begun = yield* Deferred.make<JobId.JobId>()
      const program = yield* Effect.gen(function* () {
        const id = yield* startJob
        const { send } = yield* Script
        yield* send(id, Step.cleanUp("50 millis"), Step.emit({ type: "ready" }))
        yield* seen(id, "ready")
        yield* Deferred.succeed(begun, id)
        return yield* Effect.never
      }).pipe(life(file), Effect.fork)
      const id = yield* Deferred.await(begun)
      yield* Fiber.interrupt(program)
      expect(yield* statusOf(id).pipe(withStore(file))).toBe("interrupted")
    })
  )

  it.scopedLive("is followed by one that continues ten runs three at a time, oldest first", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const ids = yield* startJobs(10).pipe(life(file, { maxJobs: 10 }))

      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { began, send } = yield* Script
        for (const [i, id] of ids.entries()) {
          yield* Effect.forEach(ids.slice(i, i + 3), (next) => began(next, 2))
          expect(yield* manager.list).toEqual(ids.slice(i, i + 3))
          yield* send(id, Step.succeed(i))
          yield* manager.await(id)
        }

        const all = yield* Stream.runCollect(
          Stream.takeUntil(manager.allEvents(), ({ jobId, type }) => jobId === ids[9] && type === "job.completed")
        )
        const second = Chunk.toReadonlyArray(all).slice(20)
        expect(second.filter(({ type }) => type === "job.resumed").map(({ jobId }) => jobId)).toEqual(ids)
        let running = 0
        for (const { type } of second) {
          running += type === "job.resumed" ? 1 : -1
          expect(running).toBeLessThanOrEqual(3)
        }
      }).pipe(life(file, { maxJobs: 3 }))
    })
  )

  it.scopedLive("returns the current record from await", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const waiting = yield* Effect.gen(function* () {
        const manager = yield* Manager
        return yield* Effect.forkDaemon(manager.await(yield* startJob))
      }).pipe(life(file))
      expect(yield* Fiber.join(waiting)).toMatchObject({ status: "interrupted", attempt: 1 })
    })
  )
})

describe("interrupted runs", () => {
  it.scopedLive("stay interrupted under manual recovery, until they are resumed", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const [first, second] = yield* Effect.all([startJob, startJob]).pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { began, send } = yield* Script
        expect(yield* manager.list).toEqual([])
        yield* manager.resume(second)
        yield* began(second, 2)
        expect(yield* manager.list).toEqual([second])
        expect(yield* statusOf(first)).toBe("interrupted")
        yield* send(second, Step.succeed("done"))
        expect((yield* manager.await(second)).attempt).toBe(2)
        expect(yield* manager.list).toEqual([])
      }).pipe(life(file, { recovery: "manual" }))
    })
  )

  it.scopedLive("are cancelled by a stop, and stay interrupted over stopAll under manual recovery", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const [first, second, third] = yield* Effect.all([startJob, startJob, startJob]).pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        expect(yield* manager.stop(first)).toMatchObject({ status: "cancelled", mode: "graceful" })
        yield* manager.resume(third)
        const reports = yield* manager.stopAll
        expect(reports.map(({ jobId, mode, status }) => [jobId, status, mode])).toEqual([
          [third, "cancelled", "graceful"]
        ])
        expect(yield* manager.stopAll).toEqual([])
        expect(yield* statusOf(second)).toBe("interrupted")
        const types = (yield* eventsOf(first)).map(({ type }) => type)
        expect(types).toEqual(["job.started", "job.interrupted", "job.cancelled"])
      }).pipe(life(file, { recovery: "manual" }))
    })
  )

  it.scopedLive("are cancelled once each by stopAll under automatic recovery, and none starts meanwhile", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const ids = yield* Effect.replicateEffect(startJob, 300).pipe(life(file, { maxJobs: 300 }))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        yield* Effect.flatMap(Script, ({ began }) => began(ids[0] ?? unknownId, 2))
        const reports = yield* manager.stopAll
        expect(reports.map(({ jobId }) => jobId).sort()).toEqual(ids)
        expect(new Set(reports.map(({ mode, status }) => `${mode} ${status}`))).toEqual(new Set(["graceful cancelled"]))
        for (const id of ids.slice(1)) {
          const types = (yield* eventsOf(id)).map(({ type }) => type)
          expect(types).toEqual(["job.started", "job.interrupted", "job.cancelled"])
        }
      }).pipe(life(file, { maxJobs: 1, script: () => [Step.cleanUp("50 millis")] }))
    })
  )

  it.scopedLive("wake the callers of await when one is cancelled", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const waiting = yield* Effect.fork(manager.await(id))
        yield* Effect.yieldNow()
        yield* manager.stop(id)
        expect((yield* Fiber.join(waiting)).status).toBe("cancelled")
      }).pipe(life(file, { recovery: "manual" }))
    })
  )

  it.scopedLive("hold their key: a start with it is refused, and a resume never conflicts", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const check = () => Effect.succeed({ key: "the repository" })
      const id = yield* startJob.pipe(life(file, { check }))
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        expect(yield* Effect.flip(manager.start(config))).toMatchObject({
          _tag: "JobConflict",
          jobId: id,
          key: "the repository",
          status: "interrupted"
        })
        yield* manager.resume(id)
        expect(yield* manager.list).toEqual([id])
      }).pipe(life(file, { check, recovery: "manual" }))
    })
  )
})
