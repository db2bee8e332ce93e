import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Option, String } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bundle } from "../../support/bundle.js"
import * as FailingSql from "../../support/FailingSql.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Audit from "../../../src/store/Audit.js"
import * as FileLock from "../../../src/store/sqlite/FileLock.js"
import * as Migrations from "../../../src/store/sqlite/Migrations.js"
import { migrations } from "../../../src/store/sqlite/migrations/index.js"
import { schema } from "../../../src/store/sqlite/schema.js"
import { at, created, event, id, kind, log, newRun, record } from "../runs.js"
import { planOf } from "../work.js"

const database = (filename: string) => Database.layer({ filename })

const stored = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(database(filename)))

const opened = Effect.provide(Effect.void, RunStore.layer)

/** The schema of the database, and the rows of these tables. */
const contents = (...tables: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* sql`SELECT name, sql FROM sqlite_master ORDER BY name`
    return [schema, yield* Effect.forEach(tables, (table) => sql`SELECT * FROM ${sql(table)}`)]
  })

const names = Effect.map(
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
  ),
  (rows) => rows.map(({ name }) => name)
)

/** Exercises the store. */
const works = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  yield* created(1, { labels: { someWord: "a_b" }, key: "a" })
  yield* store.append({ jobId: id(1), attempt: 1, events: [event("x", { camelCase: 1, snake_case: 2 })] })
  yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(2), result: { snake_case: 1 } })
  expect(yield* record(id(1))).toMatchObject({ status: "completed", startedAt: at(1), result: { snake_case: 1 } })
  expect(yield* store.list({ labels: { someWord: "a_b" } })).toHaveLength(1)
  expect(yield* log(id(1))).toEqual(["1 job.started", "2 x", "3 job.completed"])
  yield* store.owners.claim(
    { kind: "k", id: "1", process: { pid: 1, bootId: "b", startTime: "s", pidNamespace: "n" } },
    yield* store.owners.get("k")
  )
})

/** Makes it a database of a newer version. */
const newer = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* works
  yield* sql`INSERT INTO charlotte_migrations ${sql.insert({ migration_id: 999, name: "future" })}`
})

/** Applies the migrations up to a number. */
const migratedTo = (number: string) => {
  const earlier = Object.entries(migrations).filter(([name]) => name.slice(0, 4) <= number)
  expect(earlier.at(-1)?.[0]).toMatch(number)
  return Migrator.make({})({
    loader: Migrator.fromRecord(Object.fromEntries(earlier)),
    table: "charlotte_migrations"
  })
}

/** Drops the whole schema. */
const dropped = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`PRAGMA foreign_keys = OFF`
  // Those of a virtual table go with it.
  const tables = yield* sql<{ name: string }>`
    SELECT name FROM pragma_table_list WHERE name GLOB 'charlotte_*' AND type <> 'shadow'`
  for (const { name } of tables) yield* sql`DROP TABLE ${sql(name)}`
  yield* sql`PRAGMA foreign_keys = ON`
})

describe("RunStore.layer", () => {
  it.scoped("reopens its own database without changing anything", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      const all = ["charlotte_runs", "charlotte_events", "charlotte_migrations"]
      yield* works.pipe(Effect.provide(stored(filename)))
      const before = yield* contents(...all).pipe(Effect.provide(database(filename)))
      yield* opened.pipe(Effect.provide(database(filename)))
      expect(yield* contents(...all).pipe(Effect.provide(database(filename)))).toEqual(before)
    })
  )

  it.effect("prefixes all its tables, indexes and triggers with charlotte_", () =>
    Effect.gen(function* () {
      const own = (yield* names).filter((name) => !name.startsWith("sqlite_"))
      expect(own.filter((name) => !name.startsWith("charlotte_"))).toEqual([])
      expect(own).toContain("charlotte_migrations")
    }).pipe(Effect.provide(stored(":memory:")))
  )

  it.scoped("refuses a database of a newer schema version, and leaves it unchanged", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      yield* works.pipe(Effect.provide(stored(filename)))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`INSERT INTO charlotte_migrations ${sql.insert({ migration_id: 999, name: "future" })}`
        const before = yield* contents("charlotte_runs", "charlotte_migrations")
        const error = yield* Effect.flip(opened)
        expect(error).toMatchObject({ _tag: "StoreError", reason: "version", operation: "migrate" })
        expect(error.message).toContain("the database has schema version 999")
        expect(error.message).toContain("install a newer Charlotte")
        expect(yield* contents("charlotte_runs", "charlotte_migrations")).toEqual(before)
      }).pipe(Effect.provide(database(filename)))
    })
  )

  it.scoped("leaves a database of an earlier version as it is while a manager of that version is alive", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      const lock = `${filename}-email.lock`
      const attempt = Effect.provide(opened, database(filename))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* migratedTo("0007")
        yield* sql`INSERT INTO charlotte_owners ${sql.insert({
          kind: "email",
          id: "1",
          pid: 4711,
          boot_id: "b",
          start_time: "s",
          pid_namespace: "n",
          lock_path: lock,
          lock_file: "1"
        })}`
      }).pipe(Effect.provide(database(filename)))
      yield* Effect.gen(function* () {
        yield* FileLock.acquire(lock)
        const error = yield* Effect.flip(attempt)
        expect(error).toMatchObject({ _tag: "StoreError", reason: "version", operation: "migrate" })
        expect(error.message).toContain("the database has schema version 7, and this Charlotte has 8")
        expect(error.message).toContain("process 4711 manages jobs of kind email")
      }).pipe(Effect.scoped)
      yield* attempt
    })
  )

  for (const [what, leave] of [
    ["closed", (filename: string) => Effect.scoped(Effect.provide(newer, stored(filename)))],
    // Another process copies the files: closing them here would release the locks on them.
    [
      "left by a crash",
      (filename: string) =>
        Effect.flatMap(TemporaryDirectory.file("crashed.db"), (crashed) =>
          newer.pipe(
            Effect.zipRight(
              Effect.sync(() => {
                for (const end of ["", "-wal"]) execFileSync("cp", [`${crashed}${end}`, `${filename}${end}`])
              })
            ),
            Effect.provide(stored(crashed))
          )
        )
    ]
  ] as const) {
    it.scoped(`refuses the file of a newer schema version, ${what}, and leaves every byte of it unchanged`, () =>
      Effect.gen(function* () {
        const filename = yield* TemporaryDirectory.file("test.db")
        yield* leave(filename)
        const bytes = () =>
          ["", "-wal"].map((end) =>
            existsSync(`${filename}${end}`) ? readFileSync(`${filename}${end}`, "latin1") : ""
          )
        const before = bytes()
        for (const layer of [stored(filename), database(filename)]) {
          const error = yield* Effect.flip(Effect.provide(Effect.void, layer))
          expect(error).toMatchObject({ _tag: "StoreError", reason: "version" })
          expect(error.message).toContain("the database has schema version 999")
          expect(bytes()).toEqual(before)
        }
      })
    )
  }

  for (const version of Object.keys(migrations).keys()) {
    it.scoped(
      `refuses tables that are newer than version ${version} in its migrations table, and changes nothing`,
      () =>
        Effect.gen(function* () {
          const filename = yield* TemporaryDirectory.file("test.db")
          yield* works.pipe(Effect.provide(stored(filename)))
          yield* Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            yield* sql`DELETE FROM charlotte_migrations WHERE migration_id > ${version}`
            const before = yield* contents("charlotte_runs", "charlotte_migrations")
            const error = yield* Effect.flip(opened)
            expect(error).toMatchObject({ _tag: "StoreError", reason: "version", operation: "migrate" })
            expect(error.message).toContain(
              `the tables of the database are newer than schema version ${version}, which its table charlotte_migrations records; restore`
            )
            expect(yield* contents("charlotte_runs", "charlotte_migrations")).toEqual(before)
          }).pipe(Effect.provide(database(filename)))
        })
    )
  }

  it.effect("refuses a database of a development version, and changes nothing", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migratedTo("0007")
      for (const [migration_id, name] of [
        [8, "filters"],
        [20, "logs"]
      ] as const) {
        yield* sql`INSERT INTO charlotte_migrations ${sql.insert({ migration_id, name })}`
        const before = yield* contents("charlotte_migrations")
        const error = yield* Effect.flip(opened)
        expect(error).toMatchObject({ _tag: "StoreError", reason: "version", operation: "migrate" })
        expect(error.message).toContain(
          `made by a development version of Charlotte (schema ${migration_id}, filters); export its jobs with that version, or move it away`
        )
        expect(yield* Effect.flip(Migrations.version)).toMatchObject({ reason: "version" })
        expect(yield* contents("charlotte_migrations")).toEqual(before)
      }
    }).pipe(Effect.provide(database(":memory:")))
  )

  /** SHA-256 of the statements of each migration that has been released, in their order. Databases have been made with them. */
  const released = {
    "0001_runs": "cb1529333ab69b67db67802089ba4dc48fb7e2a4b58a816d78e111f406683e70",
    "0002_events": "572c955161562b48256a67bbadb167c8bd725c0eb951248f6b33435e5c46f5a6",
    "0003_owners": "ffdb3dfd9708a7fe06211f65f05a989b670cb8e870d91ed6f40cce8b4e024533",
    "0004_attempts": "7bbe7565e025166710004f7e663e6bc9e5818c6d44f387273e42b677eb0722b6",
    "0005_submission": "0cc7f79a898e527a0aca2e4d69c82b09469dee968d0cff882c6886247624d4be",
    "0006_work": "e74558a0313251c27a465327a4fc377898d595564930d8cd05d8153d9170f40a",
    "0007_owner_locks": "d5def1b22b9194f9c759292aec272250319054ae0982ae196f037c7dedb1d1e3"
  }

  it.effect("runs exactly the statements that were released", () =>
    Effect.gen(function* () {
      const { clear, statements } = yield* FailingSql.FailingSql
      const found: Record<string, string> = {}
      for (const [name, migration] of Object.entries(migrations)) {
        yield* clear
        yield* migration
        const text = (yield* statements).join(";\n")
        if (name in released) found[name] = createHash("sha256").update(text).digest("hex")
      }
      expect(found).toEqual(released)
    }).pipe(Effect.provide(FailingSql.layer({ filename: ":memory:" })))
  )

  it.effect("migrates a database of an earlier version, with its runs", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* migratedTo("0004")
      const run = { kind, attempt: 1, config: '{"n":1}', labels: '{"team":"web"}', created_at: 1, started_at: 1 }
      yield* sql`INSERT INTO charlotte_runs ${sql.insert({ ...run, id: id(1), status: "running", key: "a" })}`
      yield* sql`INSERT INTO charlotte_runs ${sql.insert({ ...run, id: id(2), status: "interrupted", crashes: 2 })}`
      const ended = { status: "completed", ended_at: 2, result: "[1]" }
      yield* sql`INSERT INTO charlotte_runs ${sql.insert({ ...run, ...ended, id: id(3) })}`
      for (const n of [1, 2, 3]) {
        const started = { job_id: id(n), seq: 1, at: 1, type: "job.started", payload: '{"attempt":1}' }
        yield* sql`INSERT INTO charlotte_events ${sql.insert(started)}`
      }
      const before = yield* contents("charlotte_events")

      yield* Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        expect(yield* store.list({ labels: { team: "web" } })).toMatchObject([
          { id: id(3), status: "completed", config: { n: 1 }, result: [1], endedAt: at(2) },
          { id: id(2), status: "interrupted" },
          { id: id(1), status: "running", createdAt: at(1) }
        ])
        expect(yield* store.submission(id(1))).toEqual(Option.none())
        expect(yield* store.work.of(id(1))).toEqual({ units: [], tasks: [] })
        expect((yield* contents("charlotte_events"))[1]).toEqual(before[1])
        for (const [n, status] of [[1, "running"] as const, [2, "interrupted"] as const, [3, "completed"] as const]) {
          expect(yield* store.list({ labels: { team: "web" }, kind, status })).toMatchObject([{ id: id(n), status }])
        }

        // They can be resumed, and their work can be recorded now.
        yield* store.work.plan({ jobId: id(1), attempt: 1, work: planOf(2, 2) })
        yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(9) })
        yield* store.begin({ jobId: id(2), attempt: 2, key: "a", at: at(9) })
        expect(yield* store.unfinished({ kind, limit: 9 })).toMatchObject([{ run: { id: id(2) }, crashes: 2 }])
        yield* store.create(newRun(4, { submission: "[4]" }))
        expect(yield* store.submission(id(4))).toEqual(Option.some([4]))
        expect(yield* log(id(1))).toEqual(["1 job.started", "2 job.completed"])
        expect(yield* store.list({ labels: { team: "web" }, status: "running" })).toMatchObject([{ id: id(2) }])
        expect((yield* Audit.run()).violations.filter(({ wrong }) => wrong.includes("labels"))).toEqual([])
      }).pipe(Effect.provide(RunStore.layer))

      const [schema] = yield* contents()
      const [fresh] = yield* contents().pipe(Effect.provide(stored(":memory:")))
      expect(schema).toEqual(fresh)
    }).pipe(Effect.provide(database(":memory:")))
  )

  it.effect("coexists with an application's own tables and migrations", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const migrate = Migrator.make({})({
        loader: Migrator.fromRecord({
          "0001_runs": sql`CREATE TABLE runs (id TEXT)`,
          "0007_events": sql`CREATE TABLE events (id TEXT)`
        })
      })
      yield* migrate
      yield* sql`INSERT INTO runs VALUES ('mine')`
      yield* works.pipe(Effect.provide(RunStore.layer))
      expect(yield* migrate).toEqual([])
      expect(yield* sql`SELECT id FROM runs`).toEqual([{ id: "mine" }])
      expect(yield* sql`SELECT migration_id FROM effect_sql_migrations`).toEqual([
        { migration_id: 1 },
        { migration_id: 7 }
      ])
    }).pipe(Effect.provide(database(":memory:")))
  )

  const transforms = {
    "snake_case in the database": [String.camelToSnake, String.snakeToCamel],
    "camelCase in the database": [String.snakeToCamel, String.camelToSnake],
    "in capitals everywhere": [String.toUpperCase, String.toUpperCase]
  } as const
  for (const [what, [transformQueryNames, transformResultNames]] of Object.entries(transforms)) {
    it.effect(`works with a client whose names are ${what}`, () =>
      works.pipe(
        Effect.provide(
          RunStore.layer.pipe(
            Layer.provide(
              SqliteClient.layer({ filename: ":memory:", transformQueryNames, transformResultNames }).pipe(Layer.orDie)
            )
          )
        )
      )
    )
  }

  it.scoped("opens a file twice in one process, and both stores see each other's writes", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("test.db")
      const open = Layer.build(Layer.fresh(stored(filename)))
      const [a, b] = yield* Effect.all([open, open], { concurrency: "unbounded" })
      yield* created(1).pipe(Effect.provide(a))
      expect((yield* record(id(1)).pipe(Effect.provide(b))).id).toBe(id(1))
      yield* created(2).pipe(Effect.provide(b))
      expect((yield* record(id(2)).pipe(Effect.provide(a))).id).toBe(id(2))
    })
  )

  it.effect(
    "creates its tables although a start of version 0.1.0 that was killed has left an empty table of migrations",
    () =>
      Effect.gen(function* () {
        const fresh = yield* contents().pipe(Effect.provide(stored(":memory:")))
        yield* Migrator.make({})({ loader: Migrator.fromRecord({}), table: "charlotte_migrations" })
        expect(yield* names).toContain("charlotte_migrations")
        yield* works.pipe(Effect.provide(RunStore.layer))
        expect(yield* contents()).toEqual(fresh)
      }).pipe(Effect.provide(database(":memory:")))
  )

  for (const version of ["0007", "0008"]) {
    it.scoped(`opens a new database in which another process creates the tables of version ${version} first`, () =>
      Effect.gen(function* () {
        const filename = yield* TemporaryDirectory.file("test.db")
        yield* Effect.gen(function* () {
          const { hold } = yield* FailingSql.FailingSql
          const { reached, release } = yield* hold(/^BEGIN IMMEDIATE/)
          const open = yield* Effect.fork(opened)
          yield* reached
          yield* migratedTo(version).pipe(Effect.provide(database(filename)))
          yield* release
          yield* open
          expect(yield* contents()).toEqual(yield* contents().pipe(Effect.provide(stored(":memory:"))))
        }).pipe(Effect.provide(FailingSql.layer({ filename })))
      })
    )
  }

  it.scopedLive("creates its tables once when several processes open a new file concurrently", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const filename = `${directory}/test.db`
      const program = yield* bundle(directory, fileURLToPath(new URL("openStore.ts", import.meta.url)))
      const children = Array.from({ length: 3 }, () =>
        spawn(process.execPath, [program, filename], { stdio: ["pipe", "pipe", "inherit"] })
      )
      const said = children.map(() => "")
      for (const [i, { stdout }] of children.entries()) {
        stdout.on("data", (chunk) => (said[i] += `${chunk}`))
      }
      yield* Effect.promise(() => Promise.all(children.map(({ stdout }) => once(stdout, "data"))))
      const ends = children.map((child) => once(child, "exit"))
      for (const { stdin } of children) stdin.write("go\n")
      expect(yield* Effect.promise(() => Promise.all(ends))).toEqual(children.map(() => [0, null]))
      expect(said).toEqual(children.map(() => "ready\nopened at 0\n"))
      yield* works.pipe(Effect.provide(stored(filename)))
    })
  )

  const run = {
    id: id(1),
    kind,
    status: "interrupted",
    attempt: 1,
    config: "{}",
    labels: '{"a":"b"}',
    created_at: 1,
    started_at: 1
  }

  const starts = {
    "a new database": Effect.void,
    "a database of version 0.1.0": Effect.zipRight(
      migratedTo("0007"),
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO charlotte_runs ${sql.insert(run)}`)
    )
  }

  /** The schema with the rows that show the version and the migrated runs, as text. */
  const state = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* sql<{ name: string }>`
      SELECT name, sql FROM sqlite_master WHERE name GLOB '*charlotte_*' ORDER BY name`
    const tables = ["charlotte_runs", "charlotte_migrations"].filter((table) =>
      schema.some(({ name }) => name === table)
    )
    const rows = yield* Effect.forEach(tables, (table) => sql`SELECT *, '' AS created_at FROM ${sql(table)}`)
    return JSON.stringify([schema, rows])
  })

  /**
   * Opens with a failure at statement k, for k = 1, 2, 3 … until there are no more statements, on one client. A failure leaves the
   * database as it was, which is the start of the next one; after the commit it is new, and a former database is made again.
   */
  const openedWith = (start: keyof typeof starts, fault: Omit<FailingSql.Fault, "from">) =>
    Effect.gen(function* () {
      const { clear, failures, set } = yield* FailingSql.FailingSql
      const begin = Effect.zipRight(dropped, starts[start])
      yield* begin
      yield* opened
      const after = yield* state
      yield* begin
      const before = yield* state
      const outcomes = new Set<string>()
      let k = 0
      for (let hit = true; hit;) {
        yield* set({ ...fault, from: ++k })
        const outcome = yield* Effect.match(opened, { onFailure: ({ reason }) => reason, onSuccess: () => "opened" })
        outcomes.add(outcome)
        hit = (yield* failures) > 0
        yield* clear
        // Nothing else here lets this thread answer Vitest, which waits a minute for it.
        yield* Effect.promise(() => new Promise(setImmediate))
        const left = yield* state
        if (outcome !== "opened" && left === before) continue
        expect(left).toBe(after)
        yield* begin
      }
      return { statements: k - 1, outcomes: [...outcomes].sort() }
    }).pipe(Effect.provide(FailingSql.layer({ filename: ":memory:" })))

  for (const [start, all, reads] of [
    ["a new database", schema.length, 5],
    ["a database of version 0.1.0", 100, 20]
  ] as const) {
    it.effect(
      `leaves ${start} as it was, or whole, when any statement of opening it fails, and opens it next time`,
      () =>
        Effect.gen(function* () {
          const { outcomes, statements } = yield* openedWith(start, {})
          expect(outcomes).toEqual(["full", "opened"])
          expect(statements).toBeGreaterThan(all)
        })
    )

    it.effect(`leaves ${start} as it was, or whole, when SQLite rolls a transaction back, and opens it next time`, () =>
      Effect.gen(function* () {
        // The transaction ends in the same way at all statements in it, so these stand for them.
        const matching = /^(SELECT|INSERT|DROP|COMMIT)/
        const { outcomes, statements } = yield* openedWith(start, { rollsBack: true, matching })
        expect(outcomes).toEqual(["full", "opened"])
        expect(statements).toBeGreaterThan(reads)
      })
    )

    it.effect(`opens ${start} although any statement finds it locked`, () =>
      Effect.gen(function* () {
        // The others come between BEGIN IMMEDIATE and COMMIT, while no other connection can hold the lock.
        const matching = /^(PRAGMA|SELECT|CREATE TABLE IF NOT EXISTS|BEGIN|COMMIT)/
        const { outcomes, statements } = yield* openedWith(start, { code: "SQLITE_BUSY", matching })
        expect(outcomes).toEqual(["opened"])
        expect(statements).toBeGreaterThan(reads)
      })
    )
  }
})
