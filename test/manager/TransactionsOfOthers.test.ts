/** Transactions, connections and processes beside those of the manager: what is theirs, and what they have left. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, errors, JobManager, RunStore } from "charlotte"
import { Context, Effect, Fiber, Layer, Option, Ref } from "effect"
import { config } from "../support/jobs.js"
import { at, id, insertedInTransaction, newRun } from "../store/runs.js"
import { databaseFile, typesOf } from "./lives.js"
import {
  done,
  ended,
  isSound,
  layer,
  onFile,
  queued,
  recordOf,
  rolledBack,
  start,
  transaction
} from "./transactions.js"

const { JobManager: Manager } = JobManager

const memory = Database.layer({ filename: ":memory:" })

const stored = (filename: string) => Layer.provideMerge(RunStore.layer, Database.layer({ filename }))

describe("a run that was committed by a process that died before it was queued", () => {
  it.scoped("is queued by the next manager, as of its start, and runs", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* Effect.provide(insertedInTransaction(newRun(1, { config })), stored(filename))
      yield* Effect.gen(function* () {
        expect(yield* ended(id(1))).toMatchObject({ status: "completed", attempt: 1, createdAt: at(1) })
        expect(yield* queued(id(1))).toMatchObject({ type: "job.queued", at: at(1) })
        expect(yield* typesOf(id(1))).toEqual(["job.queued", "job.started", "job.completed"])
        yield* isSound
      }).pipe(Effect.provide(onFile(filename)))
    })
  )

  it.scoped("comes before a start without options", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* Effect.provide(insertedInTransaction(newRun(1, { config, startAt: undefined })), stored(filename))
      yield* Effect.gen(function* () {
        expect(yield* Effect.flip(start)).toBeInstanceOf(errors.MaxJobsReached)
        yield* ended(id(1))
        yield* ended(yield* start)
      }).pipe(Effect.provide(onFile(filename, { ...done, maxJobs: 1 })))
    })
  )
})

describe("a run that another process commits", () => {
  it.scopedLive("is found by a poll, and those who ask before get JobNotFound", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const other = yield* Layer.build(stored(filename))
      yield* Effect.gen(function* () {
        expect(yield* Effect.flip(ended(id(1)))).toEqual(new errors.JobNotFound({ jobId: id(1) }))
        yield* Effect.provide(insertedInTransaction(newRun(1, { config })), other)
        yield* queued(id(1))
        expect((yield* ended(id(1))).status).toBe("completed")
        yield* isSound
      }).pipe(Effect.provide(Layer.fresh(onFile(filename))))
    })
  )
})

describe("those who ask for a job while the transaction that starts it is open", () => {
  const asked = (outcome: typeof transaction | typeof rolledBack) =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const stop = yield* Ref.make(Option.none<Fiber.Fiber<unknown, unknown>>())
      const jobId = yield* outcome(
        Effect.gen(function* () {
          const jobId = yield* manager.start(config, { delay: "1 day" })
          // A root: a child would be inside the transaction, too.
          const fiber = Effect.runFork(Effect.either(manager.stop(jobId)))
          yield* Effect.yieldNow()
          expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
          yield* Ref.set(stop, Option.some(fiber))
          return jobId
        })
      )
      const answer = yield* Effect.flatMap(Effect.flatten(Ref.get(stop)), Fiber.join)
      return { jobId, answer }
    })

  it.scopedLive("get the job once it is committed", () =>
    Effect.gen(function* () {
      const { answer, jobId } = yield* asked(transaction)
      expect(answer).toMatchObject({ right: { jobId, status: "cancelled" } })
      expect(yield* typesOf(jobId)).toEqual(["job.queued", "job.cancelled"])
    }).pipe(Effect.provide(layer()))
  )

  it.scopedLive("get JobNotFound once it is rolled back", () =>
    Effect.gen(function* () {
      const { answer, jobId } = yield* asked(rolledBack)
      expect(answer).toMatchObject({ left: new errors.JobNotFound({ jobId }) })
    }).pipe(Effect.provide(layer()))
  )
})

describe("a start inside a transaction of another client", () => {
  it.scoped("is an ordinary start, which stays where the other transaction is rolled back", () =>
    Effect.gen(function* () {
      const theirs = Context.get(yield* Layer.build(Layer.fresh(memory)), SqlClient.SqlClient)
      yield* theirs`CREATE TABLE theirs (x)`
      const both = Effect.zipRight(theirs`INSERT INTO theirs VALUES (1)`, start)
      const jobId = yield* Effect.flip(theirs.withTransaction(Effect.flatMap(both, Effect.fail)))
      if (typeof jobId !== "string") return yield* Effect.die(jobId)
      expect(yield* theirs`SELECT * FROM theirs`).toEqual([])
      expect(yield* ended(jobId)).toMatchObject({ status: "completed" })
      expect(yield* typesOf(jobId)).toEqual(["job.started", "job.completed"])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped(
    "is an ordinary start inside ours inside theirs, and inside a transaction one inside theirs inside ours",
    () =>
      Effect.gen(function* () {
        const ours = yield* SqlClient.SqlClient
        const theirs = Context.get(yield* Layer.build(Layer.fresh(memory)), SqlClient.SqlClient)
        // The innermost client uses the connection of the outermost.
        const outside = yield* theirs.withTransaction(ours.withTransaction(start))
        expect(yield* recordOf(outside)).toMatchObject({ status: "running" })
        const inside = yield* rolledBack(theirs.withTransaction(start))
        expect((yield* Effect.flip(ended(inside)))._tag).toBe("JobNotFound")
      }).pipe(Effect.provide(layer({})))
  )

  it.scoped("is checked apart from that transaction, at capacity too, and so are those of startMany", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const seen = yield* Ref.make<ReadonlyArray<boolean>>([])
      const check = () =>
        Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (connection) =>
          Effect.as(
            Ref.update(seen, (all) => [...all, Option.isSome(connection)]),
            {}
          )
        )
      const theirs = Context.get(yield* Layer.build(Layer.fresh(memory)), SqlClient.SqlClient)
      yield* Effect.gen(function* () {
        const manager = yield* Manager
        yield* theirs.withTransaction(
          Effect.gen(function* () {
            yield* manager.start(config)
            yield* manager.start(config, { whenFull: "queue" })
            yield* manager.startMany([config])
          })
        )
        expect(yield* Ref.get(seen)).toEqual([false, false, false])
      }).pipe(Effect.provide(onFile(filename, { maxJobs: 1, check })))
    })
  )
})
