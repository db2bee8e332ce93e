/** Words of a later version in the records of jobs. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { type JobId, RunStore } from "charlotte"
import { Chunk, Effect, type Layer, Stream, TestClock } from "effect"
import * as Runs from "../../../src/store/Runs.js"
import { at, created, event, kind, log, record } from "../runs.js"

const { RunStore: Store } = RunStore

const error = { kind: "exhausted", error: "it went wrong", cause: "Error: it went wrong" }

/** Everything that reads a run, and its pruning once it has ended. */
const readAndPruned = (jobId: JobId.JobId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const runs = Runs.make(store)
    const listed = yield* runs.list()
    expect(listed.find((run) => run.id === jobId)).toEqual(yield* record(jobId))
    const followed = Chunk.toReadonlyArray(yield* Stream.runCollect(runs.events(jobId)))
    expect(followed.map(({ seq, type }) => `${seq} ${type}`)).toEqual(yield* log(jobId))
    const { status } = yield* record(jobId)
    if (status === "parked") yield* store.record({ type: "job.cancelled", jobId, attempt: 1, at: at(9) })
    yield* TestClock.setTime(100)
    yield* store.retain({ kind, retention: { failed: 1 }, forget: () => Effect.void })
    expect(yield* store.prune()).toEqual([{ kind, runs: 1, jobs: [jobId] }])
    expect((yield* runs.list()).map((run) => run.id)).not.toContain(jobId)
  }).pipe(Effect.scoped)

export const vocabulary = (layer: Layer.Layer<RunStore.RunStore | SqlClient.SqlClient>) => {
  describe("a record of a later version", () => {
    it.effect("shows a kind of error and an event of the manager that this version does not know as they stand", () =>
      Effect.gen(function* () {
        const store = yield* Store
        const jobId = yield* created(1)
        yield* created(2)
        yield* store.append({ jobId, attempt: 1, events: [event("job.postponed", { by: "ann" })] })
        yield* store.record({ type: "job.failed", jobId, attempt: 1, at: at(9), error })
        expect(yield* record(jobId)).toMatchObject({ status: "failed", error })
        expect(yield* log(jobId)).toEqual(["1 job.started", "2 job.postponed", "3 job.failed"])
        yield* readAndPruned(jobId)
      }).pipe(Effect.provide(layer))
    )

    it.effect("shows what its run waits for, and what has woken it, as they stand", () =>
      Effect.gen(function* () {
        const store = yield* Store
        const sql = yield* SqlClient.SqlClient
        const jobId = yield* created(1)
        yield* created(2)
        const parked = { reason: "waits", until: at(1_000_000) }
        yield* store.record({ type: "job.parked", jobId, attempt: 1, at: at(9), parked })
        yield* sql`UPDATE charlotte_runs SET waits_for = 'weather', woken_by = 'sun' WHERE id = ${jobId}`
        expect(yield* record(jobId)).toMatchObject({ status: "parked", waitsFor: "weather", parked })
        expect((yield* store.unfinished({ kind, limit: 10 })).map(({ run }) => run.waitsFor)).toEqual([
          "weather",
          undefined
        ])
        yield* readAndPruned(jobId)
      }).pipe(Effect.provide(layer))
    )
  })
}
