/**
 * What the job of a report does. While it waits for approval it holds no fiber and no permit, and it may wait through restarts.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { Orders } from "./Orders.ts"
import { Report } from "./Report.ts"

const Drafts = Schema.Array(
  Schema.Struct({ orders: Schema.Int, cents: Schema.Int, waitsUntil: Schema.DateTimeUtcFromNumber })
)
const decodeDrafts = Schema.decodeUnknown(Drafts)

/** Creates the draft of a report, or finds the draft of an earlier attempt. */
const makeDrafts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const orders = yield* Orders
  yield* sql`CREATE TABLE IF NOT EXISTS reports (
    job TEXT PRIMARY KEY, orders INTEGER NOT NULL, cents INTEGER NOT NULL, waitsUntil INTEGER NOT NULL)`

  const find = (job: string) =>
    Effect.map(Effect.flatMap(sql`SELECT * FROM reports WHERE job = ${job}`, decodeDrafts), ([draft]) =>
      Option.fromNullable(draft)
    )

  return (job: string, day: string) =>
    Effect.gen(function* () {
      const found = yield* find(job)
      if (Option.isSome(found)) return found.value
      const totals = yield* orders.totals(day)
      const waitsUntil = DateTime.add(yield* DateTime.now, { days: 7 })
      yield* sql`INSERT INTO reports ${sql.insert({ job, ...totals, waitsUntil: waitsUntil.epochMillis })}`
      return { ...totals, waitsUntil }
    })
})

export const layer = Layer.unwrapEffect(
  Effect.map(makeDrafts, (draftOf) =>
    Report.layer({
      maxJobs: 1,
      run: ({ config: { day }, emit, id, park, signal }) =>
        Effect.gen(function* () {
          const { cents, orders, waitsUntil } = yield* draftOf(id, day)
          yield* emit({ type: "report.ready", payload: { orders, cents } })
          const approval = yield* signal("approve")
          if (Option.isNone(approval) && DateTime.lessThan(yield* DateTime.now, waitsUntil)) {
            return yield* park({
              reason: `the report of ${day} waits for approval`,
              signal: "approve",
              until: waitsUntil
            })
          }
          return { orders, cents, approvedBy: Option.getOrNull(Option.map(approval, ({ by }) => by)) }
        })
    })
  )
)
