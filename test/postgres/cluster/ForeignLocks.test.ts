/**
 * What others hold in the database of a cluster: an application that leaves a transaction open, and a login that may only read and
 * holds whatever locks it can.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobId, RunStore } from "charlotte"
import { Cause, Deferred, Duration, Effect, Fiber, Layer, Option, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { poll, RealClock } from "../../../src/internal/RealClock.js"
import { isLong } from "../../support/long.js"
import { newRun } from "../../store/runs.js"
import * as TestDatabase from "../database.js"
import * as Members from "./members.js"
import * as requests from "./requests.js"

/** How long the locks are held. Meanwhile each operation takes no longer than `atMost`; a busy machine gets more. */
const [held, atMost] = isLong
  ? [Duration.seconds(30), Duration.seconds(1)]
  : [Duration.seconds(3), Duration.seconds(10)]

const kind = "work"
const quick = { millis: 0, hasChild: false }

/** The store and the client of an application, beside the nodes. */
const application = (url: string) =>
  Layer.build(RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url }))))

/** A start in a transaction of the application, which is left open until the scope closes. */
const leaveOpen = (url: string, with_: Partial<RunStore.NewRun> = {}) =>
  Effect.gen(function* () {
    const isOpen = yield* Deferred.make<void>()
    const insert = Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { outbox } = yield* RunStore.RunStore
      const inserted = outbox.insert(newRun(1, { kind, config: quick, ...with_ }))
      return yield* sql.withTransaction(
        Effect.zipRight(inserted, Effect.zipRight(Deferred.succeed(isOpen, undefined), Effect.never))
      )
    })
    yield* Effect.forkScoped(Effect.provide(insert, yield* application(url)))
    yield* Deferred.await(isOpen)
  })

/** Locks that earlier versions took: of a kind, of the search index, of migrations, and of the owner of a kind. */
const advisory = [
  `pg_advisory_lock(1128808788, hashtext('${kind}'))`,
  "pg_advisory_lock(1128808789, 0)",
  "pg_advisory_lock(1128808790, 0)",
  `pg_advisory_lock(hashtextextended('charlotte public ${kind}', 0))`
]

/** A login that may read all tables, and holds every lock that it can have, until the scope closes. */
const holdAsReader = (url: string) =>
  Effect.gen(function* () {
    const name = `reader_${randomUUID().replaceAll("-", "")}`
    const admin = (statement: string) => TestDatabase.adminOf(url, statement)
    yield* Effect.acquireRelease(
      Effect.zipRight(
        admin(`CREATE ROLE ${name} LOGIN PASSWORD 'reader'`),
        admin(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${name}`)
      ),
      () => Effect.zipRight(admin(`DROP OWNED BY ${name}`), admin(`DROP ROLE ${name}`))
    )
    const reader = new URL(url)
    reader.username = name
    reader.password = "reader"
    yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const client = new Client({ connectionString: reader.href })
        await client.connect()
        return client
      }),
      (client) => Effect.promise(() => client.end())
    ).pipe(
      Effect.tap((client) =>
        Effect.promise(async () => {
          for (const lock of advisory) await client.query(`SELECT ${lock}`)
          await client.query("BEGIN")
          const tables = await client.query<{ name: string }>(
            "SELECT relname AS name FROM pg_class WHERE relname LIKE 'charlotte\\_%' AND relkind = 'r'"
          )
          for (const { name } of tables.rows) await client.query(`LOCK TABLE ${name} IN ACCESS SHARE MODE`)
          for (const { name } of tables.rows) {
            await client.query("SAVEPOINT refused")
            await expect(client.query(`SELECT 1 FROM ${name} FOR KEY SHARE`)).rejects.toThrow("permission denied")
            await client.query("ROLLBACK TO SAVEPOINT refused")
          }
        })
      )
    )
  })

const Ended = Schema.Struct({ status: Schema.String, attempt: Schema.Int })
const Health = Schema.Struct({ healthy: Schema.Boolean })

/** Fails unless an operation ends within the time that it may take. */
const inTime = <A, E>(what: string, effect: Effect.Effect<A, E>): Effect.Effect<A> =>
  Effect.orDie(
    Effect.timeoutFail(effect, {
      duration: atMost,
      onTimeout: () => new Cause.TimeoutException(`${what} took too long`)
    })
  )

/** What a node does all the time, and that it says it is well. */
const works = (member: Members.Member) =>
  Effect.gen(function* () {
    const { ask } = member.node()
    const id = yield* inTime("a start", ask(JobId.JobId, { _tag: "Start", ...quick, whenFull: "refuse" }))
    expect(yield* inTime("an end", ask(Ended, { _tag: "Await", id }))).toMatchObject({ status: "completed" })
    const events = yield* inTime("the events", ask(Schema.Array(Schema.Unknown), { _tag: "Events", id }))
    expect(events.length).toBeGreaterThan(2)
    const steady = yield* inTime(
      "a start",
      ask(JobId.JobId, { _tag: "Start", millis: 3_600_000, hasChild: false, whenFull: "refuse" })
    )
    yield* inTime("a stop", Members.stop(member, steady))
    expect(yield* ask(Health, { _tag: "Health" })).toMatchObject({ healthy: true })
    expect(yield* requests.send(member, { path: "/readyz" })).toMatchObject({ status: 200 })
  })

/** All nodes work for as long as something is held. */
const workMeanwhile = ({ a, b, c }: Effect.Effect.Success<ReturnType<typeof Members.threeServers>>) =>
  Effect.gen(function* () {
    const round = Effect.all([a, b, c].map(works), { concurrency: 3 })
    const { now } = yield* RealClock
    const since = yield* now
    yield* Effect.repeat(Effect.zipRight(round, now), { until: (at) => at - since > Duration.toMillis(held) })
  })

describe("three nodes", () => {
  it.scopedLive(
    "write the events, ends and stops of their jobs while an application leaves a transaction open after a start",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const members = yield* Members.threeServers(url, 20)
        yield* leaveOpen(url, { startKey: "held", idempotency: { key: "held", request: "r" } })
        yield* workMeanwhile(members)
      }),
    300_000
  )

  it.scopedLive(
    "write the events, ends and stops of their jobs while a login that may only read holds whatever locks it can",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const members = yield* Members.threeServers(url, 20)
        yield* holdAsReader(url)
        yield* workMeanwhile(members)
      }),
    300_000
  )

  it.scopedLive(
    "refuse no plain start beside starts in transactions while at most 2 of 20 jobs run",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const { a, b, c } = yield* Members.three(url)
        const app = yield* application(url)
        const inserting = Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const { outbox } = yield* RunStore.RunStore
          for (let n = 1; ; n++) {
            const run = newRun(n, { kind, config: quick })
            yield* sql.withTransaction(outbox.insert(run))
            // One at a time: the run has begun, and has ended.
            const { get } = yield* RunStore.RunStore
            const ended = Effect.map(
              get(run.id),
              Option.exists(({ status }) => status === "completed")
            )
            yield* poll(ended, { until: (isOver) => isOver, pause: 10, atMost: "30 seconds" })
          }
        }).pipe(Effect.provide(app))
        const transactional = yield* Effect.forkScoped(inserting)
        const count = isLong ? 400 : 30
        for (let n = 0; n < count; n++) {
          const { ask } = ([a, b, c][n % 3] ?? a).node()
          // `MaxJobsReached` fails the test.
          const id = yield* Effect.orDie(ask(JobId.JobId, { _tag: "Start", ...quick, whenFull: "refuse" }))
          yield* Effect.orDie(ask(Ended, { _tag: "Await", id }))
        }
        yield* Fiber.interrupt(transactional)
      }),
    300_000
  )
})
