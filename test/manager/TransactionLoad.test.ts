/** Many starts inside transactions, among other writes of the application. */
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Array, Effect, Layer } from "effect"
import { databaseFile } from "./lives.js"
import {
  countEvents,
  done,
  ended,
  idsOfRuns,
  isSound,
  managed,
  order,
  orders,
  rolledBack,
  start,
  transaction,
  withOrders
} from "./transactions.js"

const layer = Layer.unwrapScoped(
  Effect.map(databaseFile, (filename) =>
    managed({ ...done, maxJobs: 100 }, Database.layer({ filename, synchronous: "NORMAL" }))
  )
)

/** Places the n-th order with its job: of three, one is rolled back, and one has a savepoint that is rolled back. */
const place = (n: number) =>
  Effect.gen(function* () {
    yield* order(-1 - n)
    const both = Effect.zipLeft(start, order(n))
    // Some let other fibers run inside.
    const inside = n % 7 === 0 ? Effect.zipLeft(both, Effect.yieldNow()) : both
    if (n % 3 === 0) return { n, id: yield* rolledBack(inside), isCommitted: false }
    if (n % 3 === 1) return { n, id: yield* transaction(inside), isCommitted: true }
    return { n, id: yield* transaction(Effect.zipLeft(inside, rolledBack(start))), isCommitted: true }
  })

describe("1,000 starts inside transactions, among other writes of the application", () => {
  it.scopedLive(
    "run if they are committed, and leave no trace if they are rolled back",
    () =>
      Effect.gen(function* () {
        yield* withOrders
        const placed = yield* Effect.forEach(Array.range(0, 999), place, { concurrency: 50 })
        const committed = placed.filter(({ isCommitted }) => isCommitted)
        for (const { id } of committed) expect((yield* ended(id)).status).toBe("completed")
        expect(yield* idsOfRuns).toEqual(committed.map(({ id }) => id).sort())
        expect((yield* orders).filter((n) => n >= 0)).toEqual(committed.map(({ n }) => n))
        expect(yield* countEvents).toBe(3 * committed.length)
        yield* isSound
      }).pipe(Effect.provide(layer)),
    300_000
  )
})
