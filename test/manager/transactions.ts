/** An application that starts jobs inside its transactions. */
import * as SqlClient from "@effect/sql/SqlClient"
import { expect } from "@effect/vitest"
import { Database, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Data, Effect, Layer, Stream } from "effect"
import * as Audit from "../../src/store/Audit.js"
import { config } from "../support/jobs.js"
import { databaseFile } from "./lives.js"

export type Options = JobManager.LayerOptions & ScriptedOrchestrator.Options

/** Jobs that succeed at once. */
export const done: Options = { script: () => [Step.succeed("done")] }

/** A manager in the database of an application. */
export const managed = <E, E2>(
  options: Options,
  application: Layer.Layer<SqlClient.SqlClient, E>,
  store: Layer.Layer<RunStore.RunStore, E2, SqlClient.SqlClient> = Layer.orDie(RunStore.layer)
) =>
  JobManager.layer(options).pipe(
    Layer.provideMerge(Layer.merge(store, ScriptedOrchestrator.layer(options))),
    Layer.provideMerge(application)
  )

export const onFile = (filename: string, options: Options = done) => managed(options, Database.layer({ filename }))

/** On a file of its own. */
export const layer = (options: Options = done) =>
  Layer.unwrapScoped(Effect.map(databaseFile, (filename) => onFile(filename, options)))

/** The table of the application. */
export const withOrders = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE TABLE orders (n INTEGER)`)

export const order = (n: number) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO orders VALUES (${n})`)

export const orders = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ n: number }>`SELECT n FROM orders ORDER BY n`, (rows) => rows.map(({ n }) => n))
)

export const transaction = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(effect))

class RolledBack<A> extends Data.TaggedError("RolledBack")<{ readonly answer: A }> {}

/** Answers what an effect has answered in a transaction, or in a savepoint, that was rolled back. */
export const rolledBack = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  transaction(Effect.flatMap(Effect.orDie(effect), (answer) => new RolledBack({ answer }))).pipe(
    Effect.catchTag("RolledBack", ({ answer }) => Effect.succeed(answer))
  )

export const start = Effect.flatMap(JobManager.JobManager, (manager) => manager.start(config))

export const ended = (id: JobId.JobId) => Effect.flatMap(JobManager.JobManager, (manager) => manager.await(id))

/** The record of a run. */
export const recordOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

/** Waits for the first event. */
export const queued = (id: JobId.JobId) =>
  Effect.flatMap(JobManager.JobManager, ({ events }) => Effect.flatten(Stream.runHead(events(id))))

export const idsOfRuns = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ id: string }>`SELECT id FROM charlotte_runs ORDER BY id`, (rows) => rows.map(({ id }) => id))
)

export const countEvents = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ n: number }>`SELECT count(*) AS n FROM charlotte_events`, ([row]) => row?.n)
)

/** The audit has nothing to say. */
export const isSound = Effect.map(Audit.run(), ({ violations }) => expect(violations).toEqual([]))
