/** What a manager does before it is there, and what it refuses to be. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Cause, DateTime, Effect, Exit, Layer, Option, Schema, TestClock } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { config } from "../support/jobs.js"
import { databaseFile } from "./lives.js"

const interruptedRuns = 50_000

/** The statements of a manager on that database until it is there, without those of the guard of the file, which come with time. */
const statementsBefore = (options: JobManager.LayerOptions) =>
  Effect.gen(function* () {
    const { clear, statements } = yield* FailingSql.FailingSql
    yield* clear
    return yield* Effect.zipRight(JobManager.JobManager, statements).pipe(
      Effect.map((all) => all.filter((statement) => !/pragma|charlotte_generation/i.test(statement))),
      Effect.provide(JobManager.layer(options).pipe(Layer.provide(ScriptedOrchestrator.layer())))
    )
  })

describe("the start of a manager", () => {
  it.scopedLive(`asks a database with ${interruptedRuns} interrupted runs nothing more than an empty one`, () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        // The first one makes no difference to what is compared.
        yield* statementsBefore({ recovery: "manual" })
        const empty = yield* statementsBefore({ recovery: "manual" })
        yield* sql`INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, waits_for)
          WITH RECURSIVE n (n) AS (SELECT 100000 UNION ALL SELECT n + 1 FROM n WHERE n < ${99_999 + interruptedRuns})
          SELECT '01ARZ3NDEKTSV4RRFFQ6' || n, 'tasks', 'interrupted', 1, '{}', '{}', n, n, 'permit' FROM n`
        expect(yield* statementsBefore({ recovery: "manual" })).toEqual(empty)
        const { list } = yield* RunStore.RunStore
        expect(yield* list({ status: "interrupted", limit: 1_000 })).toHaveLength(1_000)
      }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename })))))
    })
  )

  const refused: Record<
    string,
    readonly [options: JobManager.Options & { kind?: string; maxPerGroup?: number }, message: string]
  > = {
    "a kind without a name": [{ kind: "" }, "the kind of a manager"],
    "no jobs": [{ maxJobs: 0 }, "maxJobs is a whole number"],
    "half a job": [{ maxJobs: 1.5 }, "maxJobs is a whole number"],
    "no checks, for which every start would wait": [{ maxChecks: 0 }, "maxChecks is a whole number, 1 or more, not 0"],
    "a limit for each group of a kind without groups": [
      { maxPerGroup: 2 },
      "maxPerGroup limits groups, and kind any has none: define its group"
    ]
  }
  for (const [what, [options, message]] of Object.entries(refused)) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const made = JobManager.make({
          kind: "any",
          ...options,
          config: Schema.Number,
          orchestrator: { run: () => Effect.void }
        })
        const exit = yield* Effect.exit(Effect.scoped(made))
        const defect = Exit.isFailure(exit) ? Cause.dieOption(exit.cause) : Option.none()
        expect(String(Option.getOrUndefined(defect))).toContain(message)
      }).pipe(Effect.provide(RunStore.layerMemory))
    )
  }
})

describe("a clock between two milliseconds", () => {
  it.scoped("starts, stops and continues jobs all the same, and its times are whole", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* TestClock.setTime(1_234.5)
      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const manager = JobManager.layer().pipe(Layer.provide(ScriptedOrchestrator.layer()))
        const id = yield* Effect.flatMap(JobManager.JobManager, ({ start }) => start(config)).pipe(
          Effect.provide(manager)
        )
        yield* Effect.gen(function* () {
          const { resume, stop } = yield* JobManager.JobManager
          yield* resume(id)
          expect((yield* stop(id)).status).toBe("cancelled")
        }).pipe(
          Effect.provide(JobManager.layer({ recovery: "manual" }).pipe(Layer.provide(ScriptedOrchestrator.layer())))
        )
        const { createdAt } = yield* Effect.flatten(store.get(id))
        expect(DateTime.toEpochMillis(createdAt)).toBe(1_234)
      }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provide(FailingSql.layer({ filename })))))
    })
  )
})
