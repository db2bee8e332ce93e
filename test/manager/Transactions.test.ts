/** Starts inside transactions of the application: what is committed runs, and what is rolled back leaves no trace. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, errors, JobKind, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Effect, Layer, Schema, TestClock } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { config } from "../support/jobs.js"
import { databaseFile, typesOf } from "./lives.js"
import {
  countEvents,
  done,
  ended,
  idsOfRuns,
  isSound,
  layer,
  managed,
  order,
  orders,
  queued,
  recordOf,
  rolledBack,
  start,
  transaction,
  withOrders
} from "./transactions.js"

const { JobManager: Manager } = JobManager

/** No wait for real time ends, such as that for the next poll. */
const withoutPolls = Layer.effect(
  RealClock,
  Effect.map(RealClock, (clock) => ({ ...clock, sleep: () => Effect.never }))
)

describe("a start inside a transaction", () => {
  it.scoped("is one row without an event, and runs once that is committed", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const sql = yield* SqlClient.SqlClient
      yield* withOrders
      const id = yield* transaction(
        Effect.gen(function* () {
          yield* order(1)
          const id = yield* start
          const rows = yield* sql`SELECT status, attempt, started_at FROM charlotte_runs`
          expect(rows).toEqual([{ status: "pending", attempt: 1, started_at: null }])
          expect(yield* countEvents).toBe(0)
          expect(yield* manager.activeCount).toBe(0)
          return id
        })
      )
      expect(yield* ended(id)).toMatchObject({ status: "completed", attempt: 1, result: "done" })
      expect(yield* typesOf(id)).toEqual(["job.queued", "job.started", "job.completed"])
      expect(yield* orders).toEqual([1])
      yield* isSound
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("leaves no trace once that is rolled back", () =>
    Effect.gen(function* () {
      yield* withOrders
      const id = yield* rolledBack(Effect.zipRight(order(1), start))
      expect(yield* Effect.flip(ended(id))).toEqual(new errors.JobNotFound({ jobId: id }))
      const next = yield* transaction(start)
      yield* ended(next)
      expect(yield* idsOfRuns).toEqual([next])
      expect(yield* countEvents).toBe(3)
      expect(yield* orders).toEqual([])
      yield* isSound
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("leaves no trace once a savepoint around it is rolled back, and what is outside of it runs", () =>
    Effect.gen(function* () {
      yield* withOrders
      const [before, within, after] = yield* transaction(
        Effect.all([start, rolledBack(Effect.zipRight(order(1), start)), transaction(Effect.zipLeft(start, order(2)))])
      )
      yield* ended(before)
      yield* ended(after)
      expect(yield* idsOfRuns).toEqual([before, after])
      expect((yield* Effect.flip(ended(within)))._tag).toBe("JobNotFound")
      expect(yield* orders).toEqual([2])
      yield* isSound
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is queued when its transaction ends, and not only by the next poll", () =>
    Effect.gen(function* () {
      const ids = yield* transaction(Effect.replicateEffect(start, 3))
      for (const id of ids) expect((yield* ended(id)).status).toBe("completed")
    }).pipe(Effect.provide(Layer.provide(layer(), withoutPolls)))
  )

  it.scoped("is never refused for want of a permit, waits for one, and is queued as of its start", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const first = yield* start
      yield* TestClock.adjust("1 minute")
      const second = yield* transaction(Effect.zipLeft(start, TestClock.adjust("1 minute")))
      expect(yield* queued(second)).toMatchObject({ type: "job.queued", at: DateTime.unsafeMake(60_000) })
      expect(yield* recordOf(second)).toMatchObject({ status: "pending", waitsFor: "permit" })
      expect(yield* Effect.flip(manager.start(config))).toBeInstanceOf(errors.MaxJobsReached)
      for (const id of [first, second]) yield* send(id, Step.succeed("done"))
      expect((yield* ended(second)).status).toBe("completed")
    }).pipe(Effect.provide(layer({ maxJobs: 1 })))
  )

  it.scoped("waits for its time", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* transaction(manager.start(config, { delay: "1 hour", priority: 7 }))
      yield* queued(id)
      expect(yield* recordOf(id)).toMatchObject({ status: "pending", waitsFor: "time", priority: 7 })
      yield* TestClock.adjust("1 hour")
      expect((yield* ended(id)).status).toBe("completed")
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is refused by QueueFull, which counts those of its own transaction; the others run", () =>
    Effect.gen(function* () {
      const ids = yield* transaction(
        Effect.gen(function* () {
          const ids = yield* Effect.replicateEffect(start, 2)
          expect(yield* Effect.flip(start)).toEqual(new errors.QueueFull({ maxQueued: 2 }))
          return ids
        })
      )
      for (const id of ids) yield* ended(id)
      yield* rolledBack(Effect.replicateEffect(start, 2))
      yield* ended(yield* transaction(start))
      yield* isSound
    }).pipe(Effect.provide(layer({ ...done, maxQueued: 2 })))
  )

  it.scoped("is refused with attach, with replace, and where it would be outside, and names the option or field", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const refused = (options: Parameters<typeof manager.start>[1], input = config) =>
        Effect.map(Effect.flip(manager.start(input, options)), (error) =>
          error._tag === "InvalidJobConfig" ? error.issues.map(({ path }) => path.join(".")) : [error._tag]
        )
      yield* transaction(
        Effect.gen(function* () {
          expect(yield* refused({ key: "a", whenKeyTaken: "attach" })).toEqual(["whenKeyTaken"])
          expect(yield* refused({ key: "a", whenKeyTaken: "replace" })).toEqual(["whenKeyTaken"])
          expect(yield* refused({ whenKeyTaken: "queue" })).toEqual(["whenKeyTaken"])
          expect(yield* refused({ priority: 0.5 })).toEqual(["priority"])
          expect(yield* refused({}, { ...config, targetBranch: "" })).toEqual(["targetBranch"])
        })
      )
      expect(yield* idsOfRuns).toEqual([])
    }).pipe(Effect.provide(layer()))
  )

  it.scoped("is refused by a manager that closes", () =>
    Effect.gen(function* () {
      const application = Layer.succeedContext(yield* Layer.build(Database.layer({ filename: ":memory:" })))
      const manager = yield* Effect.provide(Manager, managed(done, application))
      const error = yield* Effect.flip(Effect.provide(transaction(manager.start(config)), application))
      expect(error).toBeInstanceOf(errors.ShuttingDown)
    })
  )

  it.scoped("works for a kind of job, on a client of the application's own", () =>
    Effect.gen(function* () {
      const emails = yield* Email
      yield* withOrders
      const id = yield* transaction(Effect.zipLeft(emails.start({ to: "ada@example.com" }), order(1)))
      expect(yield* emails.await(id)).toMatchObject({ status: "completed", result: { sent: "ada@example.com" } })
      const gone = yield* rolledBack(Effect.zipLeft(emails.start({ to: "bob@example.com" }), order(2)))
      expect((yield* Effect.flip(emails.await(gone)))._tag).toBe("JobNotFound")
      expect(yield* orders).toEqual([1])
    }).pipe(Effect.provide(emailLayer))
  )

  it.scoped("works with a connection of the store's own", () =>
    Effect.gen(function* () {
      yield* withOrders
      const id = yield* transaction(Effect.zipLeft(start, order(1)))
      expect((yield* ended(id)).status).toBe("completed")
      yield* rolledBack(Effect.zipLeft(start, order(2)))
      const next = yield* transaction(start)
      yield* ended(next)
      expect(yield* idsOfRuns).toEqual([id, next])
      expect(yield* orders).toEqual([1])
    }).pipe(
      Effect.provide(
        Layer.unwrapScoped(
          Effect.map(databaseFile, (filename) =>
            managed(done, SqliteClient.layer({ filename }), RunStore.layerWith({ connection: "own" })).pipe(
              Layer.provide(withoutPolls)
            )
          )
        )
      )
    )
  )
})

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String }),
  success: Schema.Struct({ sent: Schema.String })
}) {}

const emailLayer = Layer.unwrapScoped(
  Effect.map(databaseFile, (filename) =>
    Email.layer({ run: ({ config: { to } }) => Effect.succeed({ sent: to }) }).pipe(
      Layer.provideMerge(RunStore.layer),
      Layer.provideMerge(SqliteClient.layer({ filename }))
    )
  )
)
