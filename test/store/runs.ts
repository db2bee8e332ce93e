/**
 * Fixtures for tests of the store.
 */
import { JobId, RunStore } from "charlotte"
import * as SqlClient from "@effect/sql/SqlClient"
import { DateTime, Effect, Option } from "effect"
import { poll } from "../../src/internal/RealClock.js"

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/** The n-th id; they sort by n. */
export const id = (n: number): JobId.JobId =>
  JobId.make(
    `01ARZ3NDEKTSV4RRFFQ69G${[32 ** 3, 32 ** 2, 32, 1].map((of) => digits.charAt(Math.floor(n / of) % 32)).join("")}`
  )

/** `n` milliseconds after the epoch. */
export const at = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)

export const kind = "tasks"

/** The n-th run, submitted at n milliseconds. */
export const newRun = (n: number, with_: Partial<RunStore.NewRun> = {}): RunStore.NewRun => ({
  id: id(n),
  kind,
  key: undefined,
  config: { number: n },
  labels: {},
  at: at(n),
  ...with_
})

/** Creates the n-th run and returns its id. */
export const created = (n: number, with_: Partial<RunStore.NewRun> = {}) =>
  Effect.flatMap(RunStore.RunStore, (store) => Effect.as(store.create(newRun(n, with_)), id(n)))

/** Inserts a run by a transaction of the application that commits. */
export const insertedInTransaction = (run: RunStore.NewRun) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { outbox } = yield* RunStore.RunStore
    return yield* sql.withTransaction(outbox.insert(run))
  })

export const event = (type: string, payload?: unknown): RunStore.AcceptedEvent => ({
  at: at(0),
  type,
  payload: payload === undefined ? undefined : JSON.stringify(payload)
})

export const error = { kind: "failure", error: "it went wrong", cause: "Error: it went wrong" } as const

/** Every event of a job, as sequence number and type. */
export const log = (jobId: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(Effect.flatten(store.events({ kind, jobId, after: 0, limit: 100 })), ({ events }) =>
      events.map(({ seq, type }) => `${seq} ${type}`)
    )
  )

/** The run of a job. */
export const record = (jobId: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(jobId)))

/** The run of a job that has waited for a key: where transactions run side by side, it is handed on after the commit. */
export const handedOn = (jobId: JobId.JobId) =>
  poll(record(jobId), { until: ({ waitsFor }) => waitsFor !== "key", pause: 5, atMost: "20 seconds" })

/** A job as the next manager of the kind finds it. */
export const unfinished = (jobId: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(store.unfinished({ kind, limit: 100 }), (all) =>
      Option.getOrUndefined(Option.fromNullable(all.find(({ run }) => run.id === jobId)))
    )
  )
