/**
 * A database that temporarily refuses writes: no false acknowledgements, no losses, and automatic recovery.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Chunk, Effect, Fiber, Layer, Stream } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as HurriedClock from "../support/hurriedClock.js"
import { config } from "../support/jobs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { isSound } from "./sound.js"

const maxJobs = 3

const layer = (filename: string) =>
  JobManager.layer({ maxJobs }).pipe(
    Layer.provideMerge(Layer.merge(RunStore.layer, ScriptedOrchestrator.layer())),
    Layer.provideMerge(Database.layer({ filename })),
    Layer.provideMerge(HurriedClock.layer)
  )

const pragma = (text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`PRAGMA ${text}`))

/** Real errors of SQLite, not simulated ones. */
const outages = {
  full: { begin: pragma("max_page_count = 1"), end: pragma("max_page_count = 1000000") },
  readonly: { begin: pragma("query_only = ON"), end: pragma("query_only = OFF") }
}

/** Too large for the free space that may be left in a page. */
const much = "x".repeat(10_000)

describe.each(Object.entries(outages))("a store whose database is %s", (reason, { begin, end }) => {
  it.scoped("refuses new jobs, keeps running ones, and records everything afterwards", () =>
    Effect.flatMap(TemporaryDirectory.file("jobs.db"), (filename) =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const store = yield* RunStore.RunStore
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const { sleep } = yield* RealClock
        const [ends, stops, idles] = yield* Effect.all([
          manager.start(config),
          manager.start(config),
          manager.start(config)
        ])
        yield* manager.stop(idles)

        yield* begin
        const refused = yield* Effect.flip(manager.start({ ...config, tasksDir: much }))
        expect(refused).toMatchObject({ _tag: "StoreError", reason })
        const emissions = Array.from({ length: 20 }, (_, n) => Step.emit({ type: "step", payload: { n, much } }))
        yield* send(ends, ...emissions, Step.succeed("done"))
        yield* send(stops, ...emissions, Step.flush)
        const ended = yield* Effect.fork(manager.await(ends))
        // A stopped job keeps its permit until its end is recorded.
        const stopped = yield* Effect.fork(manager.stop(stops))
        yield* sleep(20_000)
        expect(ended.unsafePoll()).toBeNull()
        expect(stopped.unsafePoll()).toBeNull()
        expect(yield* manager.list).toEqual([ends, stops])
        const { healthy, unrecorded } = yield* manager.health
        expect(healthy).toBe(false)
        expect(unrecorded.map(({ error, jobId }) => [jobId, error.reason])).toEqual([
          [ends, reason],
          [stops, reason]
        ])
        expect((yield* Effect.flatten(store.get(ends))).status).toBe("running")
        // Reads keep working, and return only what is committed.
        const shown = yield* manager.allEvents().pipe(Stream.take(5), Stream.runCollect)
        expect(Chunk.toReadonlyArray(shown).map(({ type }) => type)).toEqual([
          ...Array.from({ length: 3 }, () => "job.started"),
          "job.stopping",
          "job.cancelled"
        ])

        yield* end
        expect(yield* Fiber.join(ended)).toMatchObject({ status: "completed", result: "done" })
        expect(yield* Fiber.join(stopped)).toMatchObject({ status: "cancelled", mode: "graceful" })
        const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(ends)))
        expect(events.map(({ type }) => type)).toEqual(["job.started", ...emissions.map(() => "step"), "job.completed"])
        expect(events.slice(1, -1).map(({ payload }) => payload)).toEqual(emissions.map((_, n) => ({ n, much })))
        expect(yield* manager.health).toEqual({ healthy: true, unrecorded: [] })
        expect(yield* store.list()).toHaveLength(3)
        // All permits are free, and no more than that.
        yield* Effect.replicateEffect(manager.start(config), maxJobs)
        expect((yield* Effect.flip(manager.start(config)))._tag).toBe("MaxJobsReached")
        yield* isSound({ maxJobs })
      }).pipe(Effect.provide(layer(filename)))
    )
  )
})
