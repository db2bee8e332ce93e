/** The creation and the migration of a database are one transaction each: after a kill, the file is as it was, or as it is to be. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import Sqlite from "better-sqlite3"
import { Effect, Layer, Logger } from "effect"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { copyFileSync, existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Audit from "../../src/store/Audit.js"
import * as Home from "../compatibility/home.js"
import { bundle } from "../support/bundle.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const points = 20

/** More than the cache holds, so that much is written before the commit. */
const many = `
  WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
  INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, crashes, result)
  SELECT printf('%026d', n), 'tasks', 'completed', 1, json_object('text', hex(zeroblob(400))), '{"team":"app"}', n, n, n, 0, '1'
  FROM n;
  INSERT INTO charlotte_events (job_id, seq, at, type)
  SELECT id, seq, created_at, iif(seq = 1, 'job.started', 'job.completed')
  FROM charlotte_runs, (SELECT 1 AS seq UNION SELECT 2) WHERE ended_at IS NOT NULL AND id < '00001' ORDER BY id, seq;`

/** The program that migrates, killed before that statement; answers the signal, and how many statements there are. */
const migrate = (program: string, filename: string, statement: number) => {
  const { signal, status, stderr, stdout } = spawnSync(process.execPath, [program, filename, String(statement)], {
    encoding: "utf8"
  })
  return { signal, status, stderr, statements: Number(stdout) }
}

/** What a file holds: the statements of its schema, and the rows of some tables, with some of their columns. */
const contents = (filename: string, columns: Readonly<Record<string, ReadonlyArray<string>>>) => {
  const sql = new Sqlite(filename)
  try {
    const all = (statement: string) => sql.prepare<[], Home.Row>(statement).all()
    return {
      version: all("SELECT max(migration_id) AS id FROM charlotte_migrations")[0]?.["id"],
      schema: all("SELECT name, sql FROM sqlite_master ORDER BY name"),
      integrity: all("PRAGMA integrity_check"),
      foreignKeys: all("PRAGMA foreign_key_check"),
      rows: Object.entries(columns).map(([table, names]) => {
        const rows = all(`SELECT ${names.join(", ")} FROM ${table} ORDER BY ${names.map((_, i) => i + 1).join(", ")}`)
        return `${rows.length} of ${table}: ${createHash("sha256").update(JSON.stringify(rows)).digest("hex")}`
      })
    }
  } finally {
    sql.close()
  }
}

/** The columns of 0.1.0 of each table, but of that which says when it was migrated. */
const columnsOf = (filename: string) =>
  Object.fromEntries(
    Object.entries(Home.rows(filename)).flatMap(([table, [row]]) =>
      row === undefined || table === "charlotte_migrations" ? [] : [[table, Object.keys(row)]]
    )
  )

const stored = (filename: string) =>
  RunStore.layer.pipe(
    Layer.provideMerge(Database.layer({ filename })),
    Layer.provide(Logger.remove(Logger.defaultLogger))
  )

describe("the migration of a database of 0.1.0", () => {
  it.scopedLive(
    `leaves it wholly old or wholly new when it is killed at any of ${points} points`,
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const program = yield* bundle(directory, fileURLToPath(new URL("../compatibility/migrate.ts", import.meta.url)))
        const original = yield* Home.database(many)
        const columns = columnsOf(original)
        const old = contents(original, columns)
        const copy = (name: string) => {
          for (const suffix of ["", "-wal"])
            if (existsSync(original + suffix)) copyFileSync(original + suffix, `${directory}/${name}${suffix}`)
          return `${directory}/${name}`
        }
        const whole = copy("whole.db")
        const { statements, status, stderr } = migrate(program, whole, 0)
        expect(status, stderr).toBe(0)
        expect(statements).toBeGreaterThan(points)
        const migrated = contents(whole, columns)
        expect(migrated.rows).toEqual(old.rows)
        expect(Number(migrated.version)).toBeGreaterThan(Number(old.version))

        const found: Array<unknown> = []
        for (let point = 0; point < points; point++) {
          const statement = statements - Math.floor((point * statements) / points)
          const filename = copy(`killed-${statement}.db`)
          expect(migrate(program, filename, statement).signal).toBe("SIGKILL")
          const left = contents(filename, columns)
          expect(left).toEqual(left.version === old.version ? old : migrated)
          found.push(left.version)
          // The next one completes it.
          const { violations } = yield* Effect.provide(Audit.run(), stored(filename))
          expect(violations.filter(({ remedy }) => remedy === "file")).toEqual([])
          expect(contents(filename, columns)).toEqual(migrated)
        }
        expect(new Set(found)).toEqual(new Set([old.version, migrated.version]))
      }),
    300_000
  )
})

it.scopedLive("a new database is left empty or whole when the process that creates its tables is killed", () =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const program = yield* bundle(directory, fileURLToPath(new URL("../compatibility/migrate.ts", import.meta.url)))
    const objects = (filename: string) => {
      const sql = new Sqlite(filename)
      try {
        return sql.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all()
      } finally {
        sql.close()
      }
    }
    const { statements, status, stderr } = migrate(program, `${directory}/whole.db`, 0)
    expect(status, stderr).toBe(0)
    const whole = objects(`${directory}/whole.db`)
    expect(whole.length).toBeGreaterThan(100)
    // In the middle of the script, before its commit, and after it.
    for (const [statement, left] of [
      [Math.floor(statements / 2), []],
      [statements - 1, []],
      [statements, whole]
    ] as const) {
      const filename = `${directory}/killed-${statement}.db`
      expect(migrate(program, filename, statement).signal).toBe("SIGKILL")
      expect(objects(filename)).toEqual(left)
      // The next one creates the missing tables.
      expect(migrate(program, filename, 0).status).toBe(0)
      expect(objects(filename)).toEqual(whole)
    }
  })
)
