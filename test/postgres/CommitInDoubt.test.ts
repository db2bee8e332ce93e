import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Chunk, Effect, Either, Schema, Stream } from "effect"
import { isDeepStrictEqual } from "node:util"
import { exitOf } from "../../src/cli/errors/exitOf.js"
import * as Audit from "../../src/store/Audit.js"
import { event, id, log, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"
import * as proxy from "./proxy.js"
import * as tampered from "./tampered.js"

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

/** Starts jobs while commits are cut, until so many are. Answers what is wrong with them. */
const campaign = (cuts: number) =>
  Effect.gen(function* () {
    const cutter = yield* proxy.make(yield* TestDatabase.make)
    const { context } = yield* tampered.open(cutter.url)
    const problems: Array<string> = []
    yield* Effect.gen(function* () {
      const jobs = yield* makeManager
      const runJob = Effect.gen(function* () {
        const started = yield* jobs.start({})
        const { result, status } = yield* jobs.await(started)
        const events = yield* Stream.runCollect(jobs.events(started))
        const seen = Chunk.toReadonlyArray(events).map(({ payload, seq, type }) =>
          type === "step" ? `${seq} ${type} ${String(payload)}` : `${seq} ${type}`
        )
        const found = [status, result, ...seen]
        return isDeepStrictEqual(found, ["completed", "done", ...expected]) ? [] : [found.join(", ")]
      })
      yield* cutter.cutCommits(Infinity)
      while ((yield* cutter.cuts) < cuts) {
        problems.push(...(yield* Effect.catchAll(runJob, (error) => Effect.succeed([String(error)]))))
      }
      yield* cutter.cutCommits(0)
      problems.push(...(yield* Audit.run()).violations.map(({ found, wrong }) => `${found}: ${wrong}`))
    }).pipe(Effect.provide(context))
    return problems
  })

/** A job, what comes of its start, and of an event, where the first of two COMMITs never arrives, and the second is not answered. */
const written = (tampering: tampered.Tampering) =>
  Effect.gen(function* () {
    const cutter = yield* proxy.make(yield* TestDatabase.make)
    const { context } = yield* tampered.open(cutter.url, tampering)
    return yield* Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      yield* cutter.cutCommits(2)
      const start = yield* Effect.either(store.create(newRun(1)))
      yield* cutter.cutCommits(2)
      yield* store.append({ jobId: id(1), attempt: 1, events: [event("step")] })
      return { isStarted: Either.isRight(start), log: yield* log(id(1)) }
    }).pipe(Effect.provide(context))
  })

describe("a connection that is cut during a COMMIT", () => {
  it.scopedLive(
    "neither loses an event nor writes one twice, and every await answers what is recorded",
    () => Effect.map(campaign(wanted), (problems) => expect(problems).toEqual([])),
    { timeout: 120_000 }
  )

  it.scopedLive("is asked about afterwards, so that its writes are made once", () =>
    Effect.gen(function* () {
      expect(yield* written({})).toEqual({ isStarted: true, log: ["1 job.started", "2 step"] })
    })
  )

  it.scopedLive("says how to try again where the server no longer knows of it", () =>
    Effect.gen(function* () {
      const cutter = yield* proxy.make(yield* TestDatabase.make)
      // So it answers once it has forgotten the transaction.
      const rewrite = (sql: string) =>
        sql.replace("SELECT pg_xact_status(CAST($1 AS xid8))", "SELECT left($1::text, 0)")
      const { context } = yield* tampered.open(cutter.url, { rewrite })
      yield* Effect.gen(function* () {
        const jobs = yield* makeManager
        yield* cutter.cutCommits(1)
        const error = yield* Effect.flip(jobs.start({}, { idempotencyKey: "once" }))
        expect(error).toMatchObject({ _tag: "StoreError", reason: "closed" })
        expect(error.message).toContain("try again, with the same idempotency key if it was a start")
        expect(exitOf(error)[1]).toBe("try again in a moment")
        expect(exitOf(error)[0]).toBe(75)
        const started = yield* jobs.start({}, { idempotencyKey: "once" })
        expect(yield* jobs.start({}, { idempotencyKey: "once" })).toBe(started)
      }).pipe(Effect.provide(context))
    })
  )

  it.scopedLive("has to be asked about: simply tried again, a start is refused, and an event is written twice", () =>
    Effect.gen(function* () {
      const rewrite = (sql: string) =>
        sql.replace("SELECT pg_xact_status(CAST($1 AS xid8))", "SELECT 'aborted' || left($1::text, 0)")
      expect(yield* written({ rewrite })).toEqual({ isStarted: false, log: ["1 job.started", "2 step", "3 step"] })
    })
  )
})
