import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import * as Audit from "../../src/store/Audit.js"
import * as rules from "../../src/store/sql/audit.js"
import { dialect } from "../../src/store/sqlite/SqliteDialect.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { damages, scene } from "./auditScene.js"
import { id } from "./runs.js"
import * as tables from "./tables.js"

/** Disables every constraint and trigger of the schema. */
const open = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("PRAGMA ignore_check_constraints = ON")
  yield* sql.unsafe("PRAGMA foreign_keys = OFF")
  const guards = yield* sql.unsafe<{ drop: string }>(
    `SELECT 'DROP ' || type || ' ' || name AS "drop" FROM sqlite_master
     WHERE name LIKE 'charlotte_%' AND (type = 'trigger' OR sql LIKE 'CREATE UNIQUE INDEX%')`
  )
  for (const { drop } of guards) yield* sql.unsafe(drop)
})

const audited = (damage: string, options?: Audit.Options) =>
  Effect.gen(function* () {
    yield* scene
    yield* open
    const sql = yield* SqlClient.SqlClient
    yield* sql.unsafe(damage)
    yield* sql.unsafe("PRAGMA ignore_check_constraints = OFF")
    return yield* Audit.run(options)
  }).pipe(Effect.provide(tables.layer))

const wrongs = ({ violations }: Audit.Report) => new Set(violations.map(({ wrong }) => wrong))

describe("Audit", () => {
  for (const [damage, ...wrong] of damages) {
    it.scoped(`finds ${wrong[0] ?? "nothing"} after ${damage}`, () =>
      Effect.gen(function* () {
        const found = wrongs(yield* audited(damage, { maxJobs: 1 }))
        expect([...found]).toEqual(expect.arrayContaining(wrong))
        if (wrong.length === 0) expect(found.size).toBe(0)
      })
    )
  }

  it("has a test for every rule", () => {
    const known = [...rules.jobRules(dialect), ...rules.databaseRules(dialect), rules.capacityRule].map(
      ({ wrong }) => wrong
    )
    expect(new Set(damages.flatMap(([, ...wrong]) => wrong))).toEqual(new Set(known))
  })

  it.scoped("reports the same violations and counts with any slice size", () =>
    Effect.gen(function* () {
      const damage = "UPDATE charlotte_events SET type = 'job.what' WHERE type LIKE 'job.%' AND seq > 1"
      const whole = yield* audited(damage)
      expect(whole).toMatchObject({ jobs: 8, events: 26 })
      for (const sliceSize of [1, 2, 5])
        expect(new Set((yield* audited(damage, { sliceSize })).violations)).toEqual(new Set(whole.violations))
    })
  )

  it.scoped("reports at most maxPerRule violations of each rule", () =>
    Effect.gen(function* () {
      const damage = "UPDATE charlotte_events SET type = 'job.what' WHERE seq = 1"
      for (const sliceSize of [1, 100]) {
        const { violations } = yield* audited(damage, { maxPerRule: 2, sliceSize })
        const begins = violations.filter(
          ({ wrong }) => wrong === "its first event is neither job.queued nor job.started"
        )
        expect(begins.map(({ found }) => found)).toEqual([id(1), id(2)])
      }
    })
  )

  it.scoped("finds nothing in a database without tables", () =>
    Effect.gen(function* () {
      expect(yield* Audit.run()).toEqual({ jobs: 0, events: 0, violations: [] })
    }).pipe(Effect.provide(Database.layer({ filename: ":memory:" })))
  )

  it.scopedLive("reads a database that is in use, through a read-only connection", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("jobs.db")
      yield* Effect.gen(function* () {
        yield* scene
        const audit = Audit.run({ maxJobs: 1 }).pipe(Effect.provide(Database.layerUntouched({ filename })))
        expect(yield* audit).toMatchObject({ jobs: 8, violations: [] })
      }).pipe(Effect.provide(Layer.provideMerge(RunStore.layer, Database.layer({ filename }))))
    })
  )

  it.scoped("keeps only violations in memory while it reads 20,000 jobs", () =>
    Effect.gen(function* () {
      yield* scene
      yield* open
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(`
        WITH RECURSIVE n (n) AS (SELECT 10000 UNION ALL SELECT n + 1 FROM n WHERE n < 29999)
        INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, result)
        SELECT '01ARZ3NDEKTSV4RRFFQ70' || n, 'tasks', 'completed', 1, '{}', '{}', 0, 0, 0, '1' FROM n`)
      yield* sql.unsafe(`
        INSERT INTO charlotte_events (job_id, seq, at, type, payload)
        SELECT id, 1, 0, 'job.started', '{"attempt":1}' FROM charlotte_runs WHERE id LIKE '01ARZ3NDEKTSV4RRFFQ70%'`)
      const { jobs, violations } = yield* Audit.run()
      expect(jobs).toBe(20_008)
      // None of them has a terminal event, and without triggers they are not counted.
      expect(violations).toHaveLength(21)
    }).pipe(Effect.provide(tables.layer))
  )
})
