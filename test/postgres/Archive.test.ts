import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { Chunk, Effect, Layer, Schema, Stream } from "effect"
import { nameOf, MachineRef } from "../../src/internal/Machine.js"
import * as Archive from "../../src/store/Archive.js"
import * as Audit from "../../src/store/Audit.js"
import { scene } from "../store/auditScene.js"
import { created, id, kind, newRun } from "../store/runs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as TestDatabase from "./database.js"

const machine = nameOf({ hostname: "here", machineId: "" })

const sqlite = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))
const postgres = (url: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url })))

/** Every kind of record, and text that PostgreSQL does not hold. */
const recorded = Effect.gen(function* () {
  yield* scene
  const { pin, record } = yield* RunStore.RunStore
  yield* pin(id(1))
  yield* created(9, { config: "\0 and \ud800" })
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO charlotte_agent_limits (agent, kind, reason, since, until, refusals) VALUES ('claude', 'funds', ${"a\0b"}, 4, 5, 1)`
  yield* sql`INSERT INTO charlotte_turn_streaks
    (job_id, agent, unit, task, kind, turns, wording, reason, at, answered_since)
    VALUES (${id(1)}, 'claude', 'a', 1, 'unanswered', 2, 'x', 'no', 5, 0)`
  yield* sql`INSERT INTO charlotte_subscribers
    (name, cursor, kinds, hold, skipped, gap_from, gap_to, holder, created_at, moved_at)
    VALUES ('s', 3, '["tasks"]', 7, 1, 1, 2, 'gone', 4, 5)`
  yield* sql`INSERT INTO charlotte_schedules
    (kind, name, definition, registered_at, last_tick, last_run, paused_at, paused_by, skipped, skipped_tick, skipped_reason)
    VALUES ('tasks', 'nightly', '{}', 1, 2, ${id(1)}, 3, 'ann', 1, 2, 'no')`
  yield* sql`INSERT INTO charlotte_undelivered (subscriber, cursor, job_id, failed_at, aside, error)
    VALUES ('s', 1, ${id(1)}, 6, 1, 'no')`
  for (let n = 10; n < 620; n++) yield* created(n, { isQueued: true })
  yield* record({ type: "job.cancelled", jobId: id(10), attempt: 1, at: newRun(11).at })
})

/** What a new home has recorded: its lines, and its rows. It is recorded once for all tests. */
const source = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("charlotte.db")
  yield* Effect.scoped(Effect.provide(recorded, sqlite(filename)))
  return yield* Effect.gen(function* () {
    const lines = yield* Stream.runCollect(Archive.lines("1.2.3"))
    return { lines: Chunk.toReadonlyArray(lines), rows: yield* rows, events: yield* events }
  }).pipe(Effect.provide(sqlite(filename)), Effect.provideService(MachineRef, machine))
}).pipe(Effect.scoped, Effect.cached, Effect.runSync)

const tables = {
  runs: "id",
  events: "cursor",
  attempts: "cookie",
  units: "job_id, unit",
  tasks: "job_id, unit, task",
  signals: "job_id, seq",
  attached_keys: "idempotency_key",
  agent_limits: "agent",
  turn_streaks: "job_id, agent, unit, task",
  schedules: "kind, name",
  subscribers: "name",
  undelivered: "subscriber, cursor",
  latest: "one",
  labels: "name, value, run_id",
  pending: "kind",
  finished: "kind"
}

type Rows = { readonly [table: string]: ReadonlyArray<{ readonly [column: string]: unknown }> }

const machinesIn = ({ attempts = [] }: Rows) => attempts.map(({ machine }) => machine)
const withoutMachines = ({ attempts = [], ...others }: Rows): Rows => ({
  ...others,
  attempts: attempts.map((row) => ({ ...row, machine: null }))
})

/** All rows, with numbers for all integers. */
const rows = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const number = (value: unknown) => (typeof value === "string" && /^\d{1,13}$/.test(value) ? Number(value) : value)
  const all = yield* Effect.forEach(Object.entries(tables), ([name, order]) =>
    Effect.map(
      sql.unsafe(`SELECT * FROM charlotte_${name} ORDER BY ${order}`),
      (found) =>
        [
          name,
          found.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, number(value)])))
        ] as const
    )
  )
  const found: Rows = Object.fromEntries(all)
  return found
})

/** Those that a follower of all jobs gets from some cursor on. */
const events = Effect.flatMap(RunStore.RunStore, (store) => store.allEvents({ kind, after: 20, limit: 1_000 }))

const restored = (url: string, lines: ReadonlyArray<string>) =>
  Archive.restore(Stream.fromIterable(lines)).pipe(Effect.provide(postgres(url)), Effect.scoped)

const isQueued = ({ outbox, status }: Record<string, unknown>) => status === "pending" && outbox === 0

describe("the records of a home in a PostgreSQL database", () => {
  it.scopedLive("are the same rows, with the same cursors for followers, and consistent", () =>
    Effect.gen(function* () {
      const { events: expected, lines, rows: before } = yield* source
      const url = yield* TestDatabase.make
      const counts = yield* restored(url, lines)
      expect(counts).toEqual({ jobs: before["runs"]?.length, events: before["events"]?.length })
      yield* Effect.gen(function* () {
        const after = yield* rows
        expect(machinesIn(after)).toEqual(machinesIn(before).map(() => machine))
        expect(withoutMachines(after)).toEqual({
          ...withoutMachines(before),
          // A run that is still in the outbox is counted there once it leaves it.
          pending: [{ kind: "tasks", runs: before["runs"]?.filter(isQueued).length }],
          agent_limits: [{ agent: "claude", kind: "funds", reason: "a\ufffdb", since: 4, until: 5, refusals: 1 }]
        })
        expect(yield* events).toEqual(expected)
        expect((yield* Audit.run()).violations).toEqual([])
      }).pipe(Effect.provide(postgres(url)))
    })
  )

  it.scopedLive("are continued by a manager there, with the next ids and cursors", () =>
    Effect.gen(function* () {
      const { lines, rows: before } = yield* source
      const url = yield* TestDatabase.make
      yield* restored(url, lines)
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.make({
          kind,
          maxJobs: 100,
          config: Schema.Unknown,
          orchestrator: { run: ({ attempt }) => Effect.succeed(attempt) }
        })
        expect(yield* manager.await(id(2))).toMatchObject({ status: "completed", attempt: 2 })
        expect(yield* manager.await(id(3))).toMatchObject({ status: "completed", attempt: 3 })
        for (const n of [6, 8, 619]) {
          expect(yield* manager.await(id(n))).toMatchObject({ status: "completed", attempt: 1 })
        }
        const started = yield* manager.start({ number: 0 })
        expect(started > id(619)).toBe(true)
        yield* manager.signal(id(7), "go")
        expect(yield* manager.await(id(7))).toMatchObject({ status: "completed", attempt: 3 })
        const { cursor: first } = Chunk.unsafeHead(yield* Stream.runCollect(Stream.take(manager.events(started), 1)))
        expect(first).toBeGreaterThan(before["events"]?.length ?? Infinity)
      }).pipe(Effect.provide(postgres(url)))
    })
  )

  it.scopedLive("are refused where there are records already, and in a file that is cut off or damaged", () =>
    Effect.gen(function* () {
      const { lines } = yield* source
      const url = yield* TestDatabase.make
      const refused = (lines: ReadonlyArray<string>) => Effect.map(Effect.flip(restored(url, lines)), String)
      expect(yield* refused(lines.slice(0, -1))).toMatch(/the file is cut off/)
      expect(yield* refused(lines.toSpliced(-2, 1))).toMatch(/the file is cut off/)
      expect(yield* refused(lines.with(3, "{}"))).toMatch(/the file is damaged/)
      expect(yield* refused(lines.slice(1))).toMatch(/it is no file of charlotte export-home/)
      expect(yield* refused([])).toMatch(/the file is cut off/)
      const [header = ""] = lines
      expect(yield* refused(lines.with(0, header.replace(/"schema":\d+/, '"schema":1')))).toMatch(
        /the file has schema version 1, .* use Charlotte 1\.2\.3/
      )
      yield* restored(url, lines)
      expect(yield* refused(lines)).toMatch(/has records already; name an empty one/)
    })
  )
})
