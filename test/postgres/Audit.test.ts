import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect, Layer } from "effect"
import * as Audit from "../../src/store/Audit.js"
import * as rules from "../../src/store/sql/audit.js"
import { openSession } from "../../src/store/openSession.js"
import { damages, scene } from "../store/auditScene.js"
import * as TestDatabase from "./database.js"
import { layer } from "./store.js"

/** Drops every constraint and trigger of the schema but primary keys. */
const open = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`DO $$
    DECLARE statement TEXT;
    BEGIN
      FOR statement IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
        WHERE conrelid::regclass::text LIKE 'charlotte_%' AND contype IN ('c', 'f', 'u')
        UNION ALL
        SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
        WHERE tgrelid::regclass::text LIKE 'charlotte_%' AND NOT tgisinternal
        UNION ALL
        SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
        WHERE indrelid::regclass::text LIKE 'charlotte_%' AND indisunique AND NOT indisprimary
          AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
      LOOP
        EXECUTE statement;
      END LOOP;
    END $$`)
})

/** What only SQLite has, or its audit checks by itself. */
const ofSqlite = ["the file is damaged"]

/** What only PostgreSQL has. */
const ownDamages: typeof damages = [["UPDATE charlotte_log SET cursor = 3", "the next cursors have been drawn already"]]

const wrongs = ({ violations }: Audit.Report) => new Set(violations.map(({ wrong }) => wrong))

/** Runs a statement for each table, `%1$I`. */
const forEachTable = (...statements: ReadonlyArray<string>) => `DO $$
  DECLARE name TEXT;
  BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'charlotte_%' LOOP
      ${statements.map((statement) => `EXECUTE format('${statement}', name);`).join("\n")}
    END LOOP;
  END $$`

/** One database for all damages, with copies of its tables. */
const intact = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* scene
    yield* open
    yield* sql.unsafe("CREATE SCHEMA intact")
    yield* sql.unsafe(forEachTable("CREATE TABLE intact.%1$I AS SELECT * FROM %1$I"))
  })
).pipe(Layer.provideMerge(layer))

/** The audit of the database with this damage only. */
const audited = (damage: string, options?: Audit.Options) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql.unsafe(forEachTable("TRUNCATE %1$I", "INSERT INTO %1$I SELECT * FROM intact.%1$I"))
    yield* sql.unsafe(damage)
    return yield* Audit.run(options)
  })

describe("Audit on PostgreSQL", () => {
  it.layer(intact)("in a database with jobs in all states", (it) => {
    for (const [damage, ...wrong] of [...damages, ...ownDamages]) {
      const expected = wrong.filter((rule) => !ofSqlite.includes(rule))
      if (wrong.length > 0 && expected.length === 0) continue
      it.effect(`finds ${expected[0] ?? "nothing"} after ${damage}`, () =>
        Effect.gen(function* () {
          const found = wrongs(yield* audited(damage, { maxJobs: 1 }))
          expect([...found]).toEqual(expect.arrayContaining(expected))
          if (wrong.length === 0) expect(found.size).toBe(0)
        })
      )
    }

    it.effect("has a test for every rule", () =>
      Effect.gen(function* () {
        const session = yield* openSession
        const dialect = yield* session.read("read", (connection) => Effect.succeed(connection.dialect))
        const known = [...rules.jobRules(dialect), ...rules.databaseRules(dialect), rules.capacityRule]
        const tested = [...damages, ...ownDamages].flatMap(([, ...wrong]) => wrong)
        expect(new Set(tested.filter((wrong) => !ofSqlite.includes(wrong)))).toEqual(
          new Set(known.map(({ wrong }) => wrong))
        )
      })
    )

    it.effect("reports the same violations and counts with any slice size", () =>
      Effect.gen(function* () {
        const damage = "UPDATE charlotte_events SET type = 'job.what' WHERE type LIKE 'job.%' AND seq > 1"
        const whole = yield* audited(damage)
        expect(whole).toMatchObject({ jobs: 8, events: 26 })
        for (const sliceSize of [1, 2, 5]) {
          expect(new Set((yield* audited(damage, { sliceSize })).violations)).toEqual(new Set(whole.violations))
        }
      })
    )
  })

  it.scoped("finds nothing in a database without tables", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const report = yield* Audit.run().pipe(Effect.provide(Database.layerPostgres({ url })))
      expect(report).toEqual({ jobs: 0, events: 0, violations: [] })
    })
  )
})
