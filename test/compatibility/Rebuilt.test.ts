/** The table of runs is built anew when a database of version 0.1.0 is migrated: nothing in it gets lost. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobId, JobManager, Orchestrator, RunStore } from "charlotte"
import Sqlite from "better-sqlite3"
import { Effect, Layer } from "effect"
import * as Audit from "../../src/store/Audit.js"
import { id } from "../store/runs.js"
import * as Home from "./home.js"

const config = '{"repoPath":"/repository","tasksDir":"tasks","targetBranch":"main"}'

interface Fields {
  readonly key?: string
  readonly labels?: Readonly<Record<string, string>>
}

const text = (value: string | undefined) => (value === undefined ? "NULL" : `'${value}'`)

/** Inserts the n-th run as 0.1.0 did: what a status needs, and its first event. */
const run = (n: number, status: string, { key, labels = {} }: Fields = {}) => {
  const ended = ["completed", "failed", "cancelled"].includes(status)
  const started = status === "pending" ? "NULL" : n
  const [result, error] = [status === "completed" ? "'[1]'" : "NULL", status === "failed" ? '\'{"kind":"x"}\'' : "NULL"]
  return `
    INSERT INTO charlotte_runs
      (id, kind, status, attempt, key, config, labels, created_at, started_at, ended_at, crashes, result, error)
    VALUES ('${id(n)}', 'tasks', '${status}', 2, ${text(key)}, '${config}', '${JSON.stringify(labels)}', ${n}, ${started},
      ${ended ? n : "NULL"}, 1, ${result}, ${error});
    INSERT INTO charlotte_events (job_id, seq, at, type, payload)
    VALUES ('${id(n)}', 1, ${n}, 'job.started', '{"attempt":1}');
    ${ended ? `INSERT INTO charlotte_events (job_id, seq, at, type) VALUES ('${id(n)}', 2, ${n}, 'job.${status}');` : ""}`
}

/** A run that a retry names, as 0.1.0 did: in its configuration only. */
const retry = (n: number, of: number) =>
  run(n, "failed").replace(config, config.replace("}", `,"retryOf":"${id(of)}"}`))

const reused = { "charlotte.idempotency-key": "reused" }

/** Runs in every status, among them two interrupted ones behind a running one with their key. */
const everything = [
  run(1, "completed", { key: "a", labels: { team: "web", "charlotte.idempotency-key": "one" } }),
  run(2, "failed", { key: "a", labels: { team: "app" } }),
  run(3, "cancelled"),
  run(4, "pending", { key: "b" }),
  run(5, "interrupted", { key: "a", labels: { team: "web", "charlotte.idempotency-key": "two" } }),
  run(6, "interrupted", { key: "a" }),
  run(7, "running", { key: "a" }),
  run(8, "interrupted", { key: "c" }),
  run(9, "interrupted", { key: "c" }),
  run(10, "interrupted"),
  run(11, "completed", { labels: reused }),
  run(12, "failed", { labels: reused }),
  retry(13, 2),
  retry(14, 2),
  `INSERT INTO charlotte_units (job_id, unit, position, depends_on, state, commit_id) VALUES
     ('${id(1)}', 'a', 0, '[]', 'merged', 'c'), ('${id(5)}', 'a', 0, '[]', 'running', NULL),
     ('${id(5)}', 'b', 1, '["a"]', 'pending', NULL);
   INSERT INTO charlotte_tasks (job_id, unit, task, position, title, state, failures, calls, commit_id, notes) VALUES
     ('${id(1)}', 'a', 1, 0, 'first', 'completed', 1, 2, 'c', '["note"]'),
     ('${id(5)}', 'a', 1, 0, 'first', 'running', 0, 1, NULL, '[]');
   INSERT INTO charlotte_attempts (cookie, job_id, attempt, boot_id, purpose, opened_at, pid, start_time, closed_at) VALUES
     ('closed', '${id(1)}', 1, 'another', 'agent', 1, 7, 's', 2),
     ('open', '${id(5)}', 1, 'another', 'agent', 1, 8, 's', NULL);
   INSERT INTO charlotte_owners VALUES ('tasks', 'gone', 7, 'another', 's', 'n');
   DELETE FROM charlotte_events WHERE cursor = (SELECT max(cursor) FROM charlotte_events);`
].join("")

const stored = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

const migrated = (filename: string) => Effect.as(Effect.provide(Effect.void, stored(filename)), Home.rows(filename))

/** What a run waits for now, by its number. */
const waits: Readonly<Record<number, string>> = { 4: "permit", 5: "key", 6: "key", 8: "permit", 9: "key", 10: "permit" }

/** The idempotency key of a run. Where two had the same, 0.1.0 answered with the newer. */
const keys: Readonly<Record<number, string>> = { 1: "one", 5: "two", 12: "reused" }

/** The run that a run retries. Where two retry one, the first counts. */
const retries: Readonly<Record<number, string>> = { 13: id(2) }

const field = (of: Readonly<Record<number, string>>, row: Home.Row) =>
  Object.entries(of).find(([n]) => id(Number(n)) === row["id"])?.[1] ?? null

const columns = (row: Home.Row): Home.Row => ({
  start_key: null,
  idempotency_key: field(keys, row),
  request: field(keys, row) === null ? null : "",
  priority: 0,
  start_at: null,
  waits_for: field(waits, row) ?? (row["status"] === "interrupted" ? "permit" : null),
  due_at: null,
  parked: null,
  woken_by: null,
  sender: null,
  tries: 0,
  replaces: 0,
  outbox: 0,
  searched: null,
  pinned: 0,
  pruned: 0,
  retry_of: field(retries, row),
  grp: null,
  chain: null,
  parent: null,
  child_ends: null,
  progress: null,
  trace: null,
  node: null,
  runner: null,
  refused_by: null,
  refused_at: null
})

describe("a database of 0.1.0 that is migrated", () => {
  it.scoped("has every row of every table as it was, and the columns that are new", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database(everything)
      const before = Home.rows(filename)
      yield* migrated(filename)
      const after = Home.rows(filename)
      const { charlotte_migrations: applied, ...old } = before
      const runs = old["charlotte_runs"] ?? []
      expect(new Set(runs.map(({ status }) => status)).size).toBe(6)
      expect(Object.fromEntries(Object.keys(old).map((table) => [table, after[table]]))).toEqual({
        ...old,
        charlotte_runs: runs.map((row) => ({ ...row, ...columns(row) })),
        charlotte_labels: old["charlotte_labels"]?.map((row) => {
          const { kind, status } = runs.find((run) => run["id"] === row["run_id"]) ?? {}
          return { ...row, kind, status }
        }),
        charlotte_units: old["charlotte_units"]?.map((row) => ({ ...row, worktree: null })),
        charlotte_tasks: old["charlotte_tasks"]?.map((row) => ({
          ...row,
          cost: null,
          gate_failures: null,
          resolves: null,
          said: null,
          session: null,
          turn: null
        })),
        charlotte_attempts: old["charlotte_attempts"]?.map((row) => ({ ...row, machine: null, log: null, tail: null })),
        charlotte_owners: old["charlotte_owners"]?.map((row) => ({
          ...row,
          lock_path: null,
          lock_file: null,
          machine: null
        }))
      })
      expect(after).toMatchObject({
        charlotte_generation: [expect.anything()],
        charlotte_pending: [{ kind: "tasks", runs: 1 }],
        charlotte_finished: [{ kind: "tasks", runs: runs.filter((row) => row["ended_at"] !== null).length }],
        charlotte_latest: [],
        charlotte_signals: [],
        charlotte_attached_keys: [],
        charlotte_requests: []
      })
      expect(after["charlotte_migrations"]?.slice(0, applied?.length)).toEqual(applied)
    })
  )

  it.scoped("has foreign keys on, no row without its run, and no violation", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database(everything)
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        expect(yield* sql`PRAGMA foreign_keys`).toEqual([{ foreign_keys: 1 }])
        expect(yield* sql`PRAGMA foreign_key_check`).toEqual([])
        expect(yield* sql`PRAGMA integrity_check`).toEqual([{ integrity_check: "ok" }])
        const { violations } = yield* Audit.run()
        expect(violations.filter(({ wrong }) => /key|label|pending|missing|damaged/.test(wrong))).toEqual([])
        yield* sql`DELETE FROM charlotte_runs WHERE id = ${id(5)}`
        for (const table of ["charlotte_events", "charlotte_units", "charlotte_tasks", "charlotte_attempts"])
          expect(yield* sql`SELECT 1 FROM ${sql(table)} WHERE job_id = ${id(5)}`).toEqual([])
        expect(yield* sql`SELECT 1 FROM charlotte_labels WHERE run_id = ${id(5)}`).toEqual([])
      }).pipe(Effect.provide(stored(filename)))
    })
  )

  it.scoped("has triggers for terminal events, changes of events, and the status of labels", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database(everything)
      yield* migrated(filename)
      const sql = new Sqlite(filename)
      yield* Effect.addFinalizer(() => Effect.sync(() => sql.close()))
      sql.pragma("foreign_keys = ON")
      const add = (n: number, type: string) =>
        sql.exec(`INSERT INTO charlotte_events (job_id, seq, at, type) VALUES ('${id(n)}', 9, 9, '${type}')`)
      expect(() => add(5, "job.completed")).toThrow("a terminal event says what the status of its run says")
      expect(() => add(99, "x")).toThrow("FOREIGN KEY")
      expect(() => sql.exec("UPDATE charlotte_events SET type = 'x'")).toThrow("events are append-only")
      sql.exec(`UPDATE charlotte_runs SET status = 'cancelled', ended_at = 9, waits_for = NULL WHERE id = '${id(5)}'`)
      const labels = Home.rows(filename)["charlotte_labels"]?.filter((row) => row["run_id"] === id(5))
      expect(labels?.map(({ status }) => status)).toEqual(["cancelled", "cancelled"])
      const [sequence] = Home.rows(filename)["sqlite_sequence"] ?? []
      add(5, "job.cancelled")
      const last = Home.rows(filename)["charlotte_events"]?.at(-1)
      expect(last).toMatchObject({ job_id: id(5), cursor: Number(sequence?.["seq"]) + 1 })
    })
  )

  it.scopedLive("has the interrupted jobs with the key of another done after it, one after the other", () =>
    Effect.gen(function* () {
      const filename = yield* Home.database(everything)
      const Work = Orchestrator.layer(({ attempt }) => Effect.succeed(`attempt ${attempt}`))
      const manager = JobManager.layer().pipe(Layer.provide(Work), Layer.provideMerge(stored(filename)))
      yield* Effect.gen(function* () {
        const jobs = yield* JobManager.JobManager
        const sql = yield* SqlClient.SqlClient
        const ended = yield* Effect.forEach([7, 5, 6, 8, 9, 10], (n) => jobs.await(JobId.make(id(n))))
        expect(ended.map(({ error, result, status }) => [status, result ?? error])).toEqual(
          Array.from({ length: 6 }, () => ["completed", "attempt 3"])
        )
        const order = yield* sql<{ type: string; job_id: string }>`
          SELECT type, job_id FROM charlotte_events WHERE job_id IN ${sql.in([id(7), id(5), id(6)])}
            AND type IN ('job.resumed', 'job.completed') ORDER BY cursor`
        expect(order.map(({ job_id, type }) => `${job_id} ${type}`)).toEqual(
          [7, 5, 6].flatMap((n) => [`${id(n)} job.resumed`, `${id(n)} job.completed`])
        )
      }).pipe(Effect.provide(manager))
    })
  )
})
