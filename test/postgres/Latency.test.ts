/**
 * How soon others learn of a commit: by its notice, not by the next poll, which is up to a second later. One of three series
 * has to show it, since other programs may slow one down.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, RunStore } from "charlotte"
import { Array as Arr, Context, Effect, Order, Schema, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { inject } from "vitest"
import { RealClock } from "../../src/internal/RealClock.js"
import { created, event, id, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"
import * as tampered from "./tampered.js"

const rounds = 40

const wall = Effect.sync(() => performance.timeOrigin + performance.now())

interface Series {
  readonly p50: number
  readonly p95: number
}

const seriesOf = (latencies: ReadonlyArray<number>): Series => {
  const sorted = Arr.sort(latencies, Order.number)
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Infinity
  return { p50: at(0.5), p95: at(0.95) }
}

const most: Series = { p50: 50, p95: 200 }

/** Measures until a series is within the bounds, three times at the most. */
const isFast = <E, R>(series: Effect.Effect<ReadonlyArray<number>, E, R>, tries = 3): Effect.Effect<void, E, R> =>
  Effect.flatMap(Effect.map(series, seriesOf), ({ p50, p95 }) => {
    if (tries > 1 && (p50 > most.p50 || p95 > most.p95)) return isFast(series, tries - 1)
    expect(p50).toBeLessThanOrEqual(most.p50)
    expect(p95).toBeLessThanOrEqual(most.p95)
    return Effect.void
  })

describe("an event", () => {
  it.scopedLive("is seen in another process after 50 ms at the median, and 200 ms at the 95th percentile", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const { sleep } = yield* RealClock
      const { context } = yield* tampered.open(url)
      const store = Context.get(context, RunStore.RunStore)
      yield* Effect.provide(created(1), context)

      const follower = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [inject("programs").follower, url], { stdio: ["ignore", "pipe", "inherit"] })
        ),
        (child) =>
          Effect.promise(async () => {
            const exit = once(child, "exit")
            child.kill("SIGKILL")
            await exit
          })
      )
      const lines = createInterface({ input: follower.stdout })[Symbol.asyncIterator]()
      const seen = Effect.promise(async () => {
        const { value } = await lines.next()
        return String(value).split(" ").map(Number)
      })
      yield* seen

      let seq = 1
      const series = Effect.gen(function* () {
        const latencies: Array<number> = []
        for (let n = 0; n < rounds; n++) {
          const emitted = yield* wall
          yield* store.append({ jobId: id(1), attempt: 1, events: [event("step")] })
          const [number, at = Infinity] = yield* seen
          expect(number).toBe((seq += 1))
          latencies.push(at - emitted)
          yield* sleep(10)
        }
        return latencies
      })
      yield* isFast(series)
    })
  )
})

describe("a start in a transaction of an application", () => {
  const makeManager = JobManager.make({
    kind: "tasks",
    maxJobs: 4,
    config: Schema.Struct({ number: Schema.Number }),
    orchestrator: { run: () => Effect.succeed("done") }
  })

  for (const [title, isOther] of [
    ["the same process", false],
    ["another one", true]
  ] as const) {
    it.scopedLive(`is queued by the manager in ${title} 50 ms after the commit, at the median`, () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const { sleep } = yield* RealClock
        const { context } = yield* tampered.open(url)
        const other = yield* tampered.open(url)
        const jobs = yield* Effect.provide(makeManager, context)
        const application = isOther ? other.context : context
        const sql = Context.get(application, SqlClient.SqlClient)
        const { outbox } = Context.get(application, RunStore.RunStore)

        let number = 0
        const series = Effect.gen(function* () {
          const latencies: Array<number> = []
          for (let n = 0; n < rounds; n++) {
            number += 1
            const start: Effect.Effect<JobId.JobId, unknown> = isOther
              ? outbox.insert(newRun(number))
              : jobs.start({ number })
            const started = yield* sql.withTransaction(start)
            const committed = yield* wall
            const queued = yield* Effect.flatten(Stream.runHead(jobs.events(started)))
            latencies.push((yield* wall) - committed)
            expect(queued.type).toBe("job.queued")
            yield* jobs.await(started)
            yield* sleep(10)
          }
          return latencies
        })
        yield* isFast(series)
      })
    )
  }
})
