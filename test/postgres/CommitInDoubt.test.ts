import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { Chunk, Effect, Layer, Schema, Stream } from "effect"
import * as Audit from "../../src/store/Audit.js"
import * as TestDatabase from "./database.js"
import * as proxy from "./proxy.js"

/** Connections that are cut. */
const wanted = 200

/** Each is flushed before the next, and so has a transaction of its own. */
const eventsPerJob = 8

const makeManager = JobManager.make({
  kind: "doubtful",
  config: Schema.Struct({}),
  orchestrator: {
    run: (job) =>
      Effect.forEach(
        Array.from({ length: eventsPerJob }, (_, n) => n),
        (n) => Effect.zipRight(job.emit({ type: "step", payload: n }), job.flush),
        { discard: true }
      ).pipe(Effect.as("done"))
  }
})

const expected = [
  "1 job.started",
  ...Array.from({ length: eventsPerJob }, (_, n) => `${n + 2} step ${n}`),
  `${eventsPerJob + 2} job.completed`
]

describe("a connection that is cut during a COMMIT", () => {
  it.scopedLive(
    "neither loses an event nor writes one twice, and every await answers what is recorded",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const cutter = yield* proxy.make(url)
        const store = RunStore.layer.pipe(
          Layer.provideMerge(Database.layerPostgres({ url: cutter.url, maxConnections: 4 }))
        )
        yield* Effect.gen(function* () {
          const jobs = yield* makeManager
          yield* cutter.cutCommits(true)
          while ((yield* cutter.cuts) < wanted) {
            const id = yield* jobs.start({})
            expect(yield* jobs.await(id)).toMatchObject({ status: "completed", result: "done" })
            const events = yield* Stream.runCollect(jobs.events(id))
            expect(
              Chunk.toReadonlyArray(events).map(({ payload, seq, type }) =>
                type === "step" ? `${seq} ${type} ${String(payload)}` : `${seq} ${type}`
              )
            ).toEqual(expected)
          }
          yield* cutter.cutCommits(false)
          expect((yield* Audit.run()).violations).toEqual([])
        }).pipe(Effect.provide(store))
      }),
    { timeout: 120_000 }
  )
})
