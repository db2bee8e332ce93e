/** Keys, idempotency keys and checks of jobs that are started inside transactions of the application. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { errors, type JobConfig, JobManager, RunStore } from "charlotte"
import { Step } from "charlotte/testing"
import { Effect, Option, Ref, TestClock } from "effect"
import { config } from "../support/jobs.js"
import { databaseFile, typesOf } from "./lives.js"
import {
  done,
  ended,
  idsOfRuns,
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

describe("a key inside a transaction", () => {
  it.scoped("is refused where a job holds it, one of the same transaction too, and the transaction goes on", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const holder = yield* manager.start(config, { key: "a" })
      const other = yield* transaction(
        Effect.gen(function* () {
          expect(yield* Effect.flip(manager.start(config, { key: "a" }))).toEqual(
            new errors.JobConflict({ jobId: holder, key: "a", status: "running" })
          )
          const other = yield* manager.start(config, { key: "b" })
          expect(yield* Effect.flip(manager.start(config, { key: "b" }))).toEqual(
            new errors.JobConflict({ jobId: other, key: "b", status: "pending" })
          )
          return other
        })
      )
      expect(yield* Effect.flip(manager.start(config, { key: "b" }))).toMatchObject({ jobId: other })
      yield* manager.stopAll
      expect(yield* idsOfRuns).toEqual([holder, other])
      yield* isSound
    }).pipe(Effect.provide(layer({})))
  )

  it.scoped("is free again once the transaction is rolled back", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      yield* rolledBack(manager.start(config, { key: "a" }))
      const id = yield* manager.start(config, { key: "a" })
      expect(yield* manager.list).toEqual([id])
    }).pipe(Effect.provide(layer({})))
  )

  it.scoped("is waited for with queue", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const options = { key: "a", whenKeyTaken: "queue" } as const
      const holder = yield* manager.start(config, options)
      const [second, third] = yield* transaction(
        Effect.all([manager.start(config, options), manager.start(config, options)])
      )
      yield* queued(third)
      expect(yield* recordOf(second)).toMatchObject({ status: "pending", waitsFor: "key" })
      yield* manager.stop(holder)
      yield* Effect.repeat(manager.list, { until: (ids) => ids.includes(second) })
      expect(yield* recordOf(third)).toMatchObject({ status: "pending", waitsFor: "key" })
      yield* manager.stop(second)
      yield* Effect.repeat(manager.list, { until: (ids) => ids.includes(third) })
      expect(yield* typesOf((yield* manager.stop(third)).jobId)).toEqual([
        "job.queued",
        "job.started",
        "job.stopping",
        "job.cancelled"
      ])
      yield* isSound
    }).pipe(Effect.provide(layer({})))
  )
})

describe("an idempotency key inside a transaction", () => {
  it.scoped("has one run, as outside, and a new one where the first was rolled back", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const again = manager.start(config, { idempotencyKey: "a" })
      const gone = yield* rolledBack(again)
      const [first, second] = yield* transaction(Effect.all([again, again]))
      expect(second).toBe(first)
      expect(first).not.toBe(gone)
      expect(yield* again).toBe(first)
      expect(yield* transaction(again)).toBe(first)
      const other = manager.start({ ...config, targetBranch: "other" }, { idempotencyKey: "a" })
      expect(yield* Effect.flip(transaction(other))).toEqual(
        new errors.IdempotencyKeyReused({ key: "a", jobId: first })
      )
      yield* ended(first)
      expect(yield* idsOfRuns).toEqual([first])
    }).pipe(Effect.provide(layer()))
  )
})

describe("the check of a job that is started inside a transaction", () => {
  const refused = new errors.InvalidJobConfig({ issues: [{ path: ["targetBranch"], message: "is unknown" }] })

  it.scoped("is made when the job begins, and not inside the transaction", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const isInside = yield* Ref.make<ReadonlyArray<boolean>>([])
      const check = () =>
        Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (connection) =>
          Effect.as(
            Ref.update(isInside, (all) => [...all, Option.isSome(connection)]),
            {}
          )
        )
      yield* Effect.gen(function* () {
        const id = yield* transaction(
          Effect.zipLeft(
            start,
            Effect.map(Ref.get(isInside), (all) => expect(all).toEqual([]))
          )
        )
        expect((yield* ended(id)).status).toBe("completed")
        expect(yield* Ref.get(isInside)).toEqual([false])
      }).pipe(Effect.provide(onFile(filename, { ...done, check })))
    })
  )

  it.scoped("fails the run where it refuses", () =>
    Effect.gen(function* () {
      const id = yield* transaction(start)
      expect(yield* ended(id)).toMatchObject({ status: "failed", error: { kind: "recovery" } })
      expect((yield* ended(id)).error?.error).toContain("targetBranch: is unknown")
      expect(yield* typesOf(id)).toEqual(["job.queued", "job.failed"])
      yield* isSound
    }).pipe(Effect.provide(layer({ ...done, check: () => refused })))
  )

  it.scoped("finds out what every attempt is given, and the key that the job holds", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const checked = yield* Ref.make<ReadonlyArray<unknown>>([])
      const options = {
        stopGrace: 100,
        check: (_: JobConfig.JobConfig, recorded?: unknown) =>
          Effect.map(
            Ref.updateAndGet(checked, (all) => [...all, recorded ?? "nothing"]),
            ({ length }) => ({ key: "one", submission: { found: length } })
          ),
        script: ({ attempt, submission }: { readonly attempt: number; readonly submission: unknown }) =>
          attempt === 1 ? [] : [Step.succeed(submission)]
      }
      const id = yield* Effect.gen(function* () {
        const manager = yield* Manager
        const id = yield* transaction(start)
        yield* Effect.repeat(manager.list, { until: (ids) => ids.includes(id) })
        const conflict = yield* Effect.flip(manager.start(config, { whenFull: "queue" }))
        expect(conflict).toMatchObject({ _tag: "JobConflict", jobId: id, key: "one" })
        const { submission } = yield* RunStore.RunStore
        expect(yield* submission(id)).toEqual(Option.some({ found: 1 }))
        return id
      }).pipe(Effect.provide(onFile(filename, options)))
      yield* Effect.gen(function* () {
        expect(yield* ended(id)).toMatchObject({ status: "completed", attempt: 2, result: { found: 1 } })
        yield* isSound
      }).pipe(Effect.provide(onFile(filename, options)))
      expect(yield* Ref.get(checked)).toEqual(["nothing", "nothing", { found: 1 }])
    })
  )

  it.scoped("is made with what the job was started with, however long it has waited", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const id = yield* transaction(manager.start(config, { delay: "30 days" }))
      yield* queued(id)
      yield* TestClock.adjust("30 days")
      expect((yield* ended(id)).status).toBe("failed")
    }).pipe(Effect.provide(layer({ ...done, check: () => refused })))
  )
})
