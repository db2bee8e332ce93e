/**
 * A store and its manager inside a transaction of the application.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Cause, Context, Effect, Exit, Layer, Option, Stream } from "effect"
import { config, unknownId } from "../support/jobs.js"
import { at, created, event, id, newRun, record } from "./runs.js"

const memory = Database.layer({ filename: ":memory:" })

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(RunStore.layer, ScriptedOrchestrator.layer())),
  Layer.provideMerge(memory)
)

/** The defect inside a transaction of the store's own client. */
const defectInside = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const exit = yield* Effect.exit(sql.withTransaction(effect))
    return Exit.match(exit, {
      onSuccess: () => "it succeeded",
      onFailure: (cause) => Option.match(Cause.dieOption(cause), { onNone: () => "no defect", onSome: String })
    })
  })

const clear = "a job manager was called inside a transaction of its own SQL client"

describe("inside a transaction of the same client", () => {
  const calls: Record<
    string,
    (manager: JobManager.JobManager["Type"], id: typeof unknownId) => Effect.Effect<unknown, unknown>
  > = {
    startMany: (manager) => manager.startMany([config]),
    stop: (manager, id) => manager.stop(id),
    "stop of an unknown job": (manager) => manager.stop(unknownId),
    stopAll: (manager) => manager.stopAll,
    await: (manager, id) => manager.await(id),
    events: (manager, id) => Stream.runDrain(manager.events(id)),
    allEvents: (manager) => Stream.runDrain(manager.allEvents()),
    resume: (manager) => manager.resume(unknownId),
    signal: (manager, id) => manager.signal(id, "go")
  }
  for (const [name, call] of Object.entries(calls)) {
    it.effect(`${name} dies with a clear defect and without side effects`, () =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const jobId = yield* manager.start(config)
        expect(yield* defectInside(call(manager, jobId))).toContain(clear)
        expect(yield* manager.list).toEqual([jobId])
        expect((yield* manager.stop(jobId)).status).toBe("cancelled")
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("events and allEvents die before they show an event, also of a job that has ended", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const jobId = yield* manager.start(config)
      yield* manager.stop(jobId)
      for (const stream of [manager.events(jobId), manager.allEvents()]) {
        const shown: Array<string> = []
        const first = Stream.runForEach(Stream.take(stream, 1), ({ type }) => Effect.sync(() => shown.push(type)))
        expect(yield* defectInside(first)).toContain(clear)
        expect(shown).toEqual([])
        yield* first
        expect(shown).toEqual(["job.started"])
      }
    }).pipe(Effect.provide(layer))
  )

  const writes: Record<string, (store: RunStore.Service) => Effect.Effect<unknown, unknown>> = {
    create: (store) => store.create(newRun(2)),
    record: (store) => store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(2) }),
    resume: (store) => store.begin({ jobId: id(1), attempt: 2, key: undefined, at: at(2) }),
    append: (store) => store.append({ jobId: id(1), attempt: 1, events: [event("x")] })
  }
  for (const [name, write] of Object.entries(writes)) {
    it.effect(`store.${name} dies`, () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        expect(yield* defectInside(write(store))).toContain(clear)
        expect(yield* store.list()).toHaveLength(1)
        expect(yield* store.latestCursor).toBe(1)
      }).pipe(Effect.provide(layer))
    )
  }

  it.scoped("a write dies within a savepoint, even one of another client", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* RunStore.RunStore
      const theirs = Context.get(yield* Layer.build(Layer.fresh(memory)), SqlClient.SqlClient)
      expect(yield* defectInside(sql.withTransaction(store.outsideTransaction))).toContain(clear)
      // All clients share the transaction of a fiber: this savepoint belongs to the first client.
      expect(yield* defectInside(theirs.withTransaction(store.create(newRun(1))))).toContain(clear)
      // And this one belongs to the other client.
      yield* theirs.withTransaction(sql.withTransaction(store.create(newRun(1))))
      expect(yield* store.list()).toHaveLength(1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads see the writes of the transaction", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* RunStore.RunStore
      const manager = yield* JobManager.JobManager
      yield* created(1, { kind: "other" })
      const seen = sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`UPDATE charlotte_runs SET crashes = 7`
          const [unfinished] = yield* store.unfinished({ kind: "other", limit: 1 })
          yield* record(id(1))
          yield* store.list()
          yield* manager.list
          yield* manager.get(id(1))
          // Also in a nested transaction.
          yield* sql.withTransaction(record(id(1)))
          return yield* Effect.fail(unfinished?.crashes)
        })
      )
      expect(yield* Effect.flip(seen)).toBe(7)
      expect(yield* store.unfinished({ kind: "other", limit: 1 })).toMatchObject([{ crashes: 0 }])
    }).pipe(Effect.provide(layer))
  )

  it.effect("the store refuses to open", () =>
    Effect.gen(function* () {
      expect(yield* defectInside(Effect.provide(Effect.void, RunStore.layer))).toContain(
        "was opened inside a transaction"
      )
    }).pipe(Effect.provide(memory))
  )
})

describe("inside a transaction of another client", () => {
  it.scoped("a manager on another database works, and does not join the transaction", () =>
    Effect.gen(function* () {
      const theirs = Context.get(yield* Layer.build(Layer.fresh(memory)), SqlClient.SqlClient)
      const manager = yield* JobManager.JobManager
      yield* theirs`CREATE TABLE theirs (x)`
      const jobId = yield* Effect.flip(
        theirs.withTransaction(
          Effect.gen(function* () {
            yield* theirs`INSERT INTO theirs VALUES (1)`
            const jobId = yield* manager.start(config)
            yield* manager.stop(jobId)
            return yield* Effect.fail((yield* manager.await(jobId)).id)
          })
        )
      )
      // The transaction was rolled back, the job was not.
      expect(yield* theirs`SELECT * FROM theirs`).toEqual([])
      const runs = yield* Effect.flatMap(RunStore.RunStore, ({ list }) => list())
      expect(runs.map(({ id, status }) => [id, status])).toEqual([[jobId, "cancelled"]])
    }).pipe(Effect.provide(layer))
  )

  it.scoped("a started job does not inherit the transaction", () =>
    Effect.gen(function* () {
      const own = yield* SqlClient.SqlClient
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const theirs = Context.get(yield* Layer.build(Layer.fresh(memory)), SqlClient.SqlClient)
      const jobId = yield* theirs.withTransaction(manager.start(config))
      // If inherited, this would be a statement on the other database.
      yield* send(
        jobId,
        () => Effect.asVoid(Effect.orDie(own`SELECT id FROM charlotte_runs`)),
        () => Effect.interrupt
      )
      expect((yield* manager.await(jobId)).error?.kind).toBe("interrupted")
    }).pipe(Effect.provide(layer))
  )
})
