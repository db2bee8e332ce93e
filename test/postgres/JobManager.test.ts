import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobId, type JobManager, RunStore } from "charlotte"
import { Chunk, Clock, Duration, Effect, Either, Exit, Fiber, Layer, Option, Schema, Scope, Stream } from "effect"
import { MachineTime, RealClock } from "../../src/internal/RealClock.js"
import * as Audit from "../../src/store/Audit.js"
import { clockOf } from "../support/clockOf.js"
import * as TestDatabase from "./database.js"
import * as OtherProcess from "./otherProcess.js"
import { makeManager } from "./steps.js"

const storeAt = (url: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url })))

type Manager = Effect.Effect.Success<typeof makeManager>

const eventsOf = (jobs: Manager, id: JobId.JobId) =>
  Effect.map(Stream.runCollect(jobs.events(id)), (events) =>
    Chunk.toReadonlyArray(events).map(({ seq, type }) => `${seq} ${type}`)
  )

const noViolations = Effect.map(Audit.run({ maxJobs: 2 }), ({ violations }) => expect(violations).toEqual([]))

const pause = Effect.flatMap(RealClock, ({ sleep }) => sleep(10))

describe("JobManager on PostgreSQL", () => {
  it.scopedLive("starts, watches and stops jobs within its capacity", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      yield* Effect.gen(function* () {
        const jobs = yield* makeManager
        const done = yield* jobs.start({ endsAt: 1 })
        expect(yield* jobs.await(done)).toMatchObject({ status: "completed", result: "ended in attempt 1" })
        expect(yield* eventsOf(jobs, done)).toEqual(["1 job.started", "2 step", "3 job.completed"])

        const first = yield* jobs.start({ endsAt: 9 })
        const watched = yield* Effect.fork(eventsOf(jobs, first))
        const second = yield* jobs.start({ endsAt: 9 })
        expect(yield* Effect.flip(jobs.start({ endsAt: 9 }))).toMatchObject({ _tag: "MaxJobsReached" })
        const queued = yield* jobs.start({ endsAt: 1 }, { whenFull: "queue" })
        expect(yield* jobs.stop(first)).toMatchObject({ status: "cancelled", mode: "graceful" })
        expect(yield* jobs.await(queued)).toMatchObject({ status: "completed" })
        expect((yield* Fiber.join(watched)).slice(-2)).toEqual(["3 job.stopping", "4 job.cancelled"])
        expect((yield* jobs.stopAll).map(({ jobId }) => jobId)).toEqual([second])
        yield* noViolations
      }).pipe(Effect.provide(storeAt(url)))
    })
  )

  it.scopedLive("is the only one of its kind, and leaves its jobs to the next when it closes", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const scope = yield* Scope.make()
      const open = Effect.flatMap(Layer.build(storeAt(url)), (context) => Effect.provide(makeManager, context))
      const jobs = yield* Scope.extend(open, scope)
      expect(yield* Effect.flip(Effect.scoped(open))).toMatchObject({ _tag: "AlreadyManaged", pid: process.pid })
      const id = yield* jobs.start({ endsAt: 2 })
      yield* Scope.close(scope, Exit.void)
      const next = yield* open
      expect(yield* next.await(id)).toMatchObject({ status: "completed", attempt: 2 })
      expect((yield* eventsOf(next, id)).filter((event) => event.includes("job."))).toEqual([
        "1 job.started",
        expect.stringMatching(/job\.interrupted$/),
        expect.stringMatching(/job\.resumed$/),
        expect.stringMatching(/job\.completed$/)
      ])
    })
  )

  it.scopedLive("continues the jobs of a process that was killed, at once where it can see that it is gone", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { id, kill } = yield* OtherProcess.make(url)
      yield* kill
      yield* Effect.gen(function* () {
        const { now } = yield* RealClock
        const began = yield* now
        const jobs = yield* makeManager
        expect(yield* jobs.await(id)).toMatchObject({ status: "completed", result: "ended in attempt 2" })
        expect((yield* now) - began).toBeLessThan(8_000)
        const lifecycle = (yield* eventsOf(jobs, id)).filter((event) => event.includes("job."))
        expect(lifecycle.map((event) => event.replace(/^\d+ /, ""))).toEqual([
          "job.started",
          "job.interrupted",
          "job.resumed",
          "job.completed"
        ])
        yield* noViolations
      }).pipe(Effect.provide(storeAt(url)))
    })
  )

  it.scopedLive("begins a run of an application's transaction after its commit, and none that is rolled back", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const jobs = yield* makeManager
        const id = yield* sql.withTransaction(jobs.start({ endsAt: 1 }))
        const store = yield* RunStore.RunStore
        while (Option.exists(yield* store.get(id), ({ status }) => status === "pending")) yield* pause
        expect(yield* jobs.await(id)).toMatchObject({ status: "completed" })
        const undone = yield* Effect.flip(
          sql.withTransaction(Effect.flatMap(jobs.start({ endsAt: 1 }), (id) => Effect.fail(id)))
        )
        const known: JobManager.JobManager["Type"]["list"] = jobs.list
        expect(yield* known).toEqual([])
        expect(Either.isLeft(yield* Effect.either(jobs.await(Schema.decodeUnknownSync(JobId.JobId)(undone))))).toBe(
          true
        )
      }).pipe(Effect.provide(storeAt(url)))
    })
  )

  it.scopedLive.each([
    ["ahead", 1],
    ["behind", -1]
  ] as const)("records, begins and prunes by the clock of the database where its own is two days %s", ([, sign]) =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.migrated
      const millis = sign * Duration.toMillis("2 days")
      const wrong = clockOf(() => Date.now() + millis, Clock.make().sleep)
      const before = Date.now()
      yield* Effect.gen(function* () {
        const jobs = yield* makeManager
        const store = yield* RunStore.RunStore
        const waiting = yield* jobs.start({ endsAt: 9 }, { delay: "1 hour" })
        const { startAt } = yield* Effect.flatten(store.get(waiting))
        expect(startAt?.epochMillis).toBeGreaterThan(before + 3_590_000)
        expect(startAt?.epochMillis).toBeLessThan(Date.now() + 3_610_000)

        const id = yield* jobs.start({ endsAt: 1 }, { delay: "50 millis" })
        yield* jobs.await(id)
        const { createdAt, endedAt } = yield* Effect.flatten(store.get(id))
        for (const at of [createdAt, endedAt]) expect(Math.abs((at?.epochMillis ?? 0) - before)).toBeLessThan(60_000)

        const prunedAfter = (completed: Duration.DurationInput) =>
          Effect.zipRight(
            store.retain({ kind: "steps", retention: { completed }, forget: () => Effect.void }),
            store.prune()
          )
        expect(yield* prunedAfter("1 day")).toEqual([])
        expect(yield* prunedAfter(0)).toMatchObject([{ jobs: [id] }])
        expect(Math.abs(((yield* jobs.health).clockAhead ?? 0) - millis)).toBeLessThan(5_000)
      }).pipe(
        Effect.provide(storeAt(url)),
        Effect.provideService(MachineTime, wrong.currentTimeMillis),
        Effect.withClock(wrong)
      )
    })
  )

  it.scopedLive("lets go of its jobs when another process has taken its lock", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const jobs = yield* makeManager
        const id = yield* jobs.start({ endsAt: 9 })
        // The record of the next owner, while the connection that holds the lock is gone.
        yield* sql`UPDATE charlotte_owners SET id = 'another'`
        yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'charlotte owner%'`
        expect(yield* jobs.await(id)).toMatchObject({ status: "interrupted" })
        expect(yield* Effect.flip(jobs.start({ endsAt: 1 }))).toMatchObject({ _tag: "ShuttingDown" })
      }).pipe(Effect.provide(storeAt(url)))
    })
  )

  it.scopedLive("keeps its jobs when its connection is cut and it gets the lock again", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const jobs = yield* makeManager
        const id = yield* jobs.start({ endsAt: 9 })
        const owners = sql<{ pid: number }>`SELECT pid FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'charlotte owner%'`
        const [before] = yield* owners
        yield* sql`SELECT pg_terminate_backend(${before?.pid ?? 0})`
        for (let after = before; after === undefined || after.pid === before?.pid;) {
          yield* pause
          ;[after] = yield* owners
        }
        expect(yield* jobs.list).toEqual([id])
        expect(yield* jobs.stop(id)).toMatchObject({ status: "cancelled" })
      }).pipe(Effect.provide(storeAt(url)))
    })
  )
})
