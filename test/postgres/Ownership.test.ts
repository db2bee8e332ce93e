/**
 * One manager of a kind in a database, whatever becomes of its connection, its process and its machine.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { Effect, Exit, Layer, Schema, Scope } from "effect"
import { Client } from "pg"
import { MachineRef } from "../../src/internal/Machine.js"
import { type Kernel, KernelRef } from "../../src/internal/ProcessIdentity.js"
import { RealClock } from "../../src/internal/RealClock.js"
import { deadAfter } from "../../src/internal/timing.js"
import * as TestDatabase from "./database.js"
import * as OtherProcess from "./otherProcess.js"
import * as proxy from "./proxy.js"
import { makeManager } from "./steps.js"

const withStore =
  (url: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Layer.build(RunStore.layer.pipe(Layer.provide(Database.layerPostgres({ url })))), (context) =>
      Effect.provide(effect, context)
    )

/** As on another machine, where the pids of this one say nothing. */
const elsewhere = Effect.map(KernelRef, (kernel): Kernel => ({
  ...kernel,
  self: { ...kernel.self, bootId: "another" }
}))

const statement = (url: string, text: string) =>
  Effect.promise(async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<{ readonly type: string; readonly payload: string | null; readonly at: string }>(text))
        .rows
    } finally {
      await client.end()
    }
  })

/** As the server does itself when it notices that the other end of a connection is gone. */
const terminate = (url: string) =>
  statement(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
  )

/** Types of events in their order, each once in a row. */
const lifecycle = (url: string) =>
  Effect.map(statement(url, "SELECT type, payload, at FROM charlotte_events ORDER BY cursor"), (rows) =>
    rows.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])
  )

/** A tick of an attempt, on the clock of this process. */
interface Tick {
  readonly attempt: number
  readonly at: number
}

/** A manager whose job ticks in its first attempt and ends in its second. */
const makeTicking = (ticks: Array<Tick>) =>
  Effect.flatMap(RealClock, ({ now, sleep }) =>
    JobManager.make({
      kind: "ticking",
      config: Schema.Struct({}),
      orchestrator: {
        run: (job) => {
          const tick = Effect.gen(function* () {
            ticks.push({ attempt: job.attempt, at: yield* now })
            yield* Effect.forkScoped(job.emit({ type: "tick", payload: job.attempt }))
            yield* sleep(20)
          })
          return job.attempt === 1 ? Effect.forever(tick) : Effect.zipRight(tick, job.flush)
        }
      }
    })
  )

const timesOf = (ticks: ReadonlyArray<Tick>, attempt: number) =>
  ticks.filter((tick) => tick.attempt === attempt).map(({ at }) => at)

describe("the manager of a kind on PostgreSQL", () => {
  it.scopedLive("is refused while another process manages the kind, which it names, and not beside other kinds", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const other = yield* OtherProcess.make(url)
      yield* Effect.gen(function* () {
        expect(yield* Effect.flip(Effect.scoped(makeManager))).toMatchObject({
          _tag: "AlreadyManaged",
          kind: "steps",
          pid: other.pid,
          machine: yield* MachineRef
        })
        yield* makeTicking([])
        yield* other.kill
        const jobs = yield* makeManager
        expect(yield* jobs.await(other.id)).toMatchObject({ status: "completed", attempt: 2 })
      }).pipe(withStore(url))
    })
  )

  it.scopedLive("is refused by none in another schema of the database", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const own = (schema: string) => {
        const with_ = new URL(url)
        with_.searchParams.set("options", `-c search_path=${schema}`)
        return Effect.zipRight(statement(url, `CREATE SCHEMA ${schema}`), withStore(with_.href)(makeManager))
      }
      const [one, two] = [yield* own("one"), yield* own("two")]
      for (const jobs of [one, two]) {
        expect(yield* jobs.await(yield* jobs.start({ endsAt: 1 }))).toMatchObject({ status: "completed" })
      }
    })
  )

  it.scopedLive("takes over 10 seconds after the end of one on another machine, which it cannot see", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { now } = yield* RealClock
      const other = yield* OtherProcess.make(url)
      yield* other.kill
      const killed = yield* now
      yield* Effect.gen(function* () {
        const jobs = yield* makeManager
        expect(yield* jobs.await(other.id)).toMatchObject({ status: "completed", attempt: 2 })
        const elapsed = (yield* now) - killed
        expect(elapsed).toBeGreaterThanOrEqual(deadAfter)
      }).pipe(withStore(url), Effect.provideServiceEffect(KernelRef, elsewhere))
    })
  )
})

describe("a manager without an answer of the database for five seconds", () => {
  for (const [title, cutOff, heal] of [
    ["whose connections are refused", "disconnect", "reconnect"],
    ["whose connections are silent", "freeze", "resume"]
  ] as const) {
    it.scopedLive(
      `${title} lets go of its jobs before the next one works on them, and writes nothing when the database is back`,
      () =>
        Effect.gen(function* () {
          const url = yield* TestDatabase.make
          const { now, sleep } = yield* RealClock
          const between = yield* proxy.make(url)
          const scope = yield* Scope.make()
          const [ticks, nextTicks]: [Array<Tick>, Array<Tick>] = [[], []]
          const jobs = yield* makeTicking(ticks).pipe(withStore(between.url), Scope.extend(scope))
          const id = yield* jobs.start({})
          while (ticks.length < 10) yield* sleep(10)

          const cutAt = yield* now
          yield* between[cutOff]
          yield* terminate(url)
          const next = yield* makeTicking(nextTicks).pipe(withStore(url))
          const tookOver = (yield* now) - cutAt
          expect(yield* next.await(id)).toMatchObject({ status: "completed", attempt: 2 })

          const [last = Infinity] = timesOf(ticks, 1).slice(-1)
          const [first = -Infinity] = timesOf(nextTicks, 2)
          // By the lease and not before, and ended before the next one takes over, however busy the machine is.
          expect(last - cutAt).toBeGreaterThan(0)
          expect(last - cutAt).toBeLessThan(deadAfter)
          expect(tookOver).toBeGreaterThanOrEqual(deadAfter)
          expect(first).toBeGreaterThan(last)

          yield* between[heal]
          expect(yield* Effect.flip(jobs.start({}))).toMatchObject({ _tag: "ShuttingDown" })
          yield* Scope.close(scope, Exit.void)
          expect(yield* lifecycle(url)).toEqual([
            "job.started",
            "tick",
            "job.interrupted",
            "job.resumed",
            "tick",
            "job.completed"
          ])
          expect(timesOf(ticks, 2)).toEqual([])
        }),
      { timeout: 300_000 }
    )
  }

  for (const [title, cutOff] of [
    ["whose connections are refused", "disconnect"],
    ["whose connections are silent", "freeze"]
  ] as const) {
    it.scopedLive(
      `${title} closes within 30 seconds`,
      () =>
        Effect.gen(function* () {
          const url = yield* TestDatabase.make
          const { now, sleep } = yield* RealClock
          const between = yield* proxy.make(url)
          const scope = yield* Scope.make()
          const ticks: Array<Tick> = []
          const jobs = yield* makeTicking(ticks).pipe(withStore(between.url), Scope.extend(scope))
          yield* jobs.start({})
          while (ticks.length < 10) yield* sleep(10)
          yield* between[cutOff]
          const closing = yield* now
          yield* Scope.close(scope, Exit.void)
          expect((yield* now) - closing).toBeLessThan(30_000)
        }),
      { timeout: 300_000 }
    )
  }

  it.scopedLive(
    "since its process was stopped lets go of its jobs when it goes on, and writes nothing about those that were taken over",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const other = yield* OtherProcess.make(url)
        yield* other.signal("SIGSTOP")
        yield* terminate(url)
        yield* Effect.gen(function* () {
          const jobs = yield* makeManager
          expect(yield* jobs.await(other.id)).toMatchObject({ status: "completed", attempt: 2 })
          yield* other.signal("SIGCONT")
          // It waits until it has let go.
          yield* other.status
          const events = yield* lifecycle(url)
          expect(events.filter((type) => type !== "step" && type !== "tick")).toEqual([
            "job.started",
            "job.interrupted",
            "job.resumed",
            "job.completed"
          ])
          expect(events.slice(events.indexOf("job.interrupted"))).toEqual([
            "job.interrupted",
            "job.resumed",
            "step",
            "job.completed"
          ])
        }).pipe(withStore(url))
      }),
    { timeout: 300_000 }
  )
})
