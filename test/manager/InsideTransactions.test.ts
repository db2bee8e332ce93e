/** A job inside a transaction of the client under its manager's store: what would wait for that transaction dies at once. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { config } from "../support/jobs.js"
import { databaseFile, eventsOf } from "./lives.js"

type Job = Parameters<Orchestrator.Service<unknown>["run"]>[0]

const large = (job: Job) => job.emit({ type: "large", payload: "x".repeat(1_500_000) })

/** What a job does before its transaction, and what it does in there. */
const waits: Record<
  string,
  { readonly before: (job: Job) => Effect.Effect<void>; inside: (job: Job) => Effect.Effect<void> }
> = {
  "flush of what is emitted before": { before: (job) => job.emit({ type: "a" }), inside: (job) => job.flush },
  "flush of what is emitted inside": {
    before: () => Effect.void,
    inside: (job) => Effect.zipRight(job.emit({ type: "a" }), job.flush)
  },
  "flush of nothing": { before: () => Effect.void, inside: (job) => job.flush },
  "emit without room": { before: () => Effect.void, inside: (job) => Effect.zipRight(large(job), large(job)) }
}

const clear = "inside a transaction of its own SQL client"

const managed = (run: (job: Job, sql: SqlClient.SqlClient) => Effect.Effect<unknown, unknown>) =>
  Layer.unwrapScoped(
    Effect.map(databaseFile, (filename) =>
      JobManager.layer({ maxBytes: 2 * 1024 * 1024 }).pipe(
        Layer.provideMerge(RunStore.layer),
        Layer.provide(Orchestrator.layer((job) => Effect.flatMap(SqlClient.SqlClient, (sql) => run(job, sql)))),
        Layer.provideMerge(Database.layer({ filename }))
      )
    )
  )

/** The database takes writes, of the application and of the manager. */
const isFree = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE theirs (x)`
  const manager = yield* JobManager.JobManager
  const id = yield* manager.start(config)
  yield* manager.await(id)
})

describe("a job in a transaction of its manager's client", () => {
  for (const [what, { before, inside }] of Object.entries(waits)) {
    for (const depth of ["transaction", "savepoint"]) {
      it.live(`dies at once of a ${what} in a ${depth}, and the database is free`, () =>
        Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const run = yield* manager.await(yield* manager.start(config))
          expect(run).toMatchObject({ status: "failed", error: { kind: "defect" } })
          expect(run.error?.cause).toContain(clear)
          yield* isFree
        }).pipe(
          Effect.provide(
            managed((job, sql) =>
              Effect.zipRight(
                before(job),
                sql.withTransaction(depth === "savepoint" ? sql.withTransaction(inside(job)) : inside(job))
              )
            )
          ),
          Effect.timeout("2 minutes")
        )
      )
    }
  }

  it.live("has an event accepted there that finds room", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      expect((yield* manager.await(id)).status).toBe("completed")
      expect((yield* eventsOf(id)).map(({ type }) => type)).toEqual(["job.started", "inside", "job.completed"])
      yield* isFree
    }).pipe(
      Effect.provide(managed((job, sql) => sql.withTransaction(job.emit({ type: "inside" })))),
      Effect.timeout("2 minutes")
    )
  )
})
