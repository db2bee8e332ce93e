import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Context, Effect, Fiber } from "effect"
import { poll, RealClock } from "../../src/internal/RealClock.js"
import { at, event, id, kind, newRun } from "../store/runs.js"
import * as TestDatabase from "./database.js"
import * as tampered from "./tampered.js"

const storeOf = (context: Context.Context<RunStore.RunStore>) => Context.get(context, RunStore.RunStore)

/** Follows a job to so many events: when each was seen. */
const follow = (store: RunStore.RunStore["Type"], last: number) =>
  Effect.gen(function* () {
    const { now } = yield* RealClock
    const notifier = yield* store.changes(id(1))
    const seen: Array<{ readonly seq: number; readonly at: number }> = []
    while (seen.length < last) {
      const version = yield* notifier.version
      const page = yield* Effect.flatten(store.events({ kind, jobId: id(1), after: seen.length, limit: 100 }))
      const at = yield* now
      seen.push(...page.events.map(({ seq }) => ({ seq, at })))
      if (page.events.length === 0) yield* notifier.changed(version)
    }
    return seen
  }).pipe(Effect.scoped)

describe("a follower in another process", () => {
  it.scopedLive(
    "misses nothing while its listener is terminated again and again, is at most 2 s late, and is fast again afterwards",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const writer = yield* tampered.open(url)
        const reader = yield* tampered.open(url)
        const sql = Context.get(writer.context, SqlClient.SqlClient)
        const store = storeOf(writer.context)
        const { now, sleep } = yield* RealClock
        yield* store.create(newRun(1))

        const disturbed = 30
        const calm = 10
        const follower = yield* Effect.fork(follow(storeOf(reader.context), 1 + disturbed + calm))
        const terminate = sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'charlotte listener'`
        const written = [0]
        const write = Effect.gen(function* () {
          yield* store.append({ jobId: id(1), attempt: 1, events: [event("a")] })
          written.push(yield* now)
        })
        for (let n = 0; n < disturbed; n++) {
          yield* terminate
          yield* write
          yield* sleep(100)
        }
        // Both listeners connect again within a second or two.
        yield* sleep(5_000)
        for (let n = 0; n < calm; n++) {
          yield* write
          yield* sleep(100)
        }
        const seen = yield* Fiber.join(follower)
        expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i + 1))
        const late = seen.slice(1).map(({ at, seq }) => at - (written[seq - 1] ?? 0))
        expect(Math.max(...late)).toBeLessThan(2_000)
        // A poll alone would be half a second late on average.
        const [median = Infinity] = late
          .slice(-calm)
          .sort((a, b) => a - b)
          .slice(calm / 2)
        expect(median).toBeLessThan(400)
      }),
    { timeout: 300_000 }
  )

  it.scopedLive("learns of what others remove", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const [here, there] = [yield* tampered.open(url), yield* tampered.open(url)]
      const { prunings } = storeOf(here.context)
      const store = storeOf(there.context)
      yield* store.create(newRun(1))
      yield* store.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(1), result: null })
      const before = yield* prunings
      yield* store.remove({ kind, jobId: id(1), isPinnedToo: false, at: at(2) })
      const after = yield* poll(prunings, { until: (count) => count > before, pause: 10, atMost: "20 seconds" })
      expect(after).toBe(before + 1)
    })
  )

  it.scopedLive("finds what was committed while its listener could not connect", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const writer = yield* tampered.open(url)
      const reader = yield* tampered.open(url)
      const store = storeOf(writer.context)
      yield* store.create(newRun(1))
      const follower = yield* Effect.fork(follow(storeOf(reader.context), 2))
      // No notice is sent: the poll has to find it.
      const sql = Context.get(writer.context, SqlClient.SqlClient)
      yield* sql.withTransaction(
        Effect.zipRight(
          sql`UPDATE charlotte_log SET cursor = cursor + 1`,
          sql`INSERT INTO charlotte_events (cursor, job_id, seq, at, type)
              SELECT cursor, ${id(1)}, 2, 0, 'a' FROM charlotte_log`
        )
      )
      expect((yield* Fiber.join(follower)).map(({ seq }) => seq)).toEqual([1, 2])
    })
  )
})
