import { describe, expect, it } from "@effect/vitest"
import { type JobEvent, type JobId, JobManager, Orchestrator, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Array, Cause, Chunk, Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { config, unknownId } from "../support/jobs.js"
import { startJob, typesOf } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const collect = <E>(events: Stream.Stream<JobEvent.JobEvent, E>) =>
  Effect.map(Stream.runCollect(events), Chunk.toReadonlyArray)

const seqs = (events: ReadonlyArray<JobEvent.JobEvent>) => events.map(({ seq }) => seq)

const emit = (job: Pick<Orchestrator.JobContext<unknown>, "emit">, count: number) =>
  Effect.forEach(Array.range(1, count), (n) => job.emit({ type: "count", payload: n }), { discard: true })

describe("the events of a job", () => {
  const scripted = JobManager.layer().pipe(
    Layer.provideMerge(Layer.merge(ScriptedOrchestrator.layer(), RunStore.layerMemory))
  )

  const with20000 = (go: Deferred.Deferred<void>) =>
    JobManager.layer().pipe(
      Layer.provide(Orchestrator.layer((job) => Effect.zipRight(Deferred.await(go), emit(job, 20_000)))),
      Layer.provide(RunStore.layerMemory)
    )

  it.scopedLive("come to late, live and stalled subscribers alike: 1..n in order, and then the end", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const over = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        const id = yield* manager.start(config)
        const live = yield* Effect.fork(collect(manager.events(id)))
        const stalls = (at: number) =>
          Stream.tap(manager.events(id), ({ seq }) => (seq === at ? Deferred.await(over) : Effect.void))
        const stalled = yield* Effect.forEach([1, 300, 12_345], (at) => Effect.fork(collect(stalls(at))))
        yield* Deferred.succeed(go, undefined)

        // The stalled ones delay nothing: the job ends while they stand still.
        expect((yield* manager.await(id)).status).toBe("completed")
        yield* Deferred.succeed(over, undefined)

        const all = [
          yield* collect(manager.events(id)),
          yield* Fiber.join(live),
          ...(yield* Effect.forEach(stalled, Fiber.join))
        ]
        const expected = Array.range(1, 20_002)
        for (const events of all) {
          expect(seqs(events)).toEqual(expected)
          expect(events.at(0)?.type).toBe("job.started")
          expect(events.at(-1)?.type).toBe("job.completed")
          expect(events.slice(1, -1).map(({ payload }) => payload)).toEqual(Array.range(1, 20_000))
        }
      }).pipe(Effect.provide(with20000(go)))
    })
  )

  it.scopedLive("come in pages without a seam", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      for (const count of [1, 253, 254, 255, 510, 511, 1_000]) {
        const id = yield* startJob
        yield* send(id, (job) => emit(job, count), Step.succeed(1))
        yield* manager.await(id)
        expect(seqs(yield* collect(manager.events(id)))).toEqual(Array.range(1, count + 2))
      }
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("begin after any number, and end at once after one beyond the end", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* startJob
      const early = yield* Effect.fork(collect(manager.events(id, { after: 1_000 })))
      yield* send(id, (job) => emit(job, 3), Step.succeed(1))
      yield* manager.await(id)
      expect(yield* Fiber.join(early)).toEqual([])
      for (const after of [0, 3, 4, 5, 6, 1_000]) {
        const events = yield* collect(manager.events(id, { after }))
        expect(seqs(events)).toEqual([1, 2, 3, 4, 5].filter((seq) => seq > after))
      }
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("are those of a job that is there", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const error = yield* Effect.flip(collect(manager.events(unknownId)))
      expect(error).toMatchObject({ _tag: "JobNotFound", jobId: unknownId })
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("are all written before the last one, however the job ends", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const run = (last: Step.Step) =>
        Effect.gen(function* () {
          const id = yield* startJob
          yield* send(id, (job) => emit(job, 3_000), last)
          yield* manager.await(id)
          const events = yield* collect(manager.events(id))
          expect(seqs(events)).toEqual(Array.range(1, 3_002))
          return events.at(-1)?.type
        })
      expect(yield* run(Step.succeed(1))).toBe("job.completed")
      expect(yield* run(Step.fail("no"))).toBe("job.failed")
      expect(yield* run(Step.die("no"))).toBe("job.failed")
      expect(yield* run(Step.interrupt)).toBe("job.failed")
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("include what finalizers emit", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const lastWords = (job: Orchestrator.JobContext<unknown>) =>
        Effect.addFinalizer(() => Effect.zipRight(Effect.sleep(1), emit(job, 1_500)))
      const run = (end: (id: JobId.JobId) => Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          const id = yield* startJob
          yield* send(id, lastWords, Step.emit({ type: "ready" }))
          yield* Stream.runDrain(Stream.takeUntil(manager.events(id), ({ type }) => type === "ready"))
          yield* end(id)
          yield* manager.await(id)
          const types = yield* typesOf(id)
          expect(types.filter((type) => type === "count")).toHaveLength(1_500)
          return types.at(-1)
        })
      expect(yield* run(manager.stop)).toBe("job.cancelled")
      expect(yield* run((id) => send(id, Step.succeed(1)))).toBe("job.completed")
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("are on record when flush returns", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* startJob
      const flushed = yield* Deferred.make<void>()
      yield* send(
        id,
        (job) => emit(job, 500),
        Step.flush,
        () => Effect.asVoid(Deferred.succeed(flushed, undefined))
      )
      yield* Deferred.await(flushed)
      const events = yield* collect(Stream.take(manager.events(id), 501))
      expect(events.at(-1)?.payload).toBe(500)
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("take nothing more after the last one: what still emits dies, and does not block", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* startJob
      const leaked = yield* Deferred.make<Orchestrator.JobContext<unknown>>()
      yield* send(id, (job) => Effect.asVoid(Deferred.succeed(leaked, job)), Step.succeed(1))
      yield* manager.await(id)
      const job = yield* Deferred.await(leaked)
      for (const late of [emit(job, 1), job.flush])
        expect(String(Cause.squash(yield* Effect.flip(Effect.sandbox(late))))).toContain(`the job ${id} has ended`)
      expect(yield* typesOf(id)).toEqual(["job.started", "job.completed"])
      expect((yield* manager.health).healthy).toBe(true)
    }).pipe(Effect.provide(scripted))
  )

  it.scopedLive("can neither be forged nor empty: that is a defect of the orchestrator", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      for (const type of ["job.completed", "job.anything", ""]) {
        const id = yield* startJob
        yield* send(id, Step.emit({ type: "before" }), Step.emit({ type }), Step.emit({ type: "after" }))
        const { error, status } = yield* manager.await(id)
        expect({ status, kind: error?.kind }).toEqual({ status: "failed", kind: "defect" })
        expect(error?.cause).toContain("an orchestrator cannot emit")
        expect(yield* typesOf(id)).toEqual(["job.started", "before", "job.failed"])
      }
    }).pipe(Effect.provide(scripted))
  )
})
