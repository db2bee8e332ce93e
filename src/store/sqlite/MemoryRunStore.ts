/**
 * The run store in memory: the database of SQLite, without a file. It serves tests, and applications that need no history. Regardless of
 * the rules it keeps the last 1,000 finished runs, besides the pinned ones.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Array, type Clock, DateTime, Effect, identity, Order, type Scope } from "effect"
import { now } from "../../internal/now.js"
import { RealClock } from "../../internal/RealClock.js"
import type { FinishedRun, Service } from "../port/RunStoreService.js"
import * as Pruning from "../rules/Pruning.js"
import type { Connection, Dialect } from "../sql/Dialect.js"
import { unguarded } from "../sql/Guard.js"
import * as retention from "../sql/retention.js"
import * as MemoryDatabase from "./MemoryDatabase.js"
import { dialect } from "./SqliteDialect.js"
import * as SqliteRunStore from "./SqliteRunStore.js"
import * as SqliteSession from "./SqliteSession.js"

const maxFinished = 1_000

const byEnd = Order.combine(
  Order.mapInput(DateTime.Order, ({ endedAt }: FinishedRun) => endedAt),
  Order.mapInput(Order.string, ({ id }: FinishedRun) => id)
)

/** Deletes the oldest finished runs beyond the limit, and returns how many. */
const dropOldest = (connection: Connection): Effect.Effect<number, SqlError> =>
  Effect.gen(function* () {
    const counts = yield* retention.counts(connection)
    const excess = counts.reduce((sum, { runs }) => sum + runs, 0) - maxFinished
    if (excess <= 0) return 0
    const at = yield* now
    const oldest = yield* Effect.forEach(counts, ({ kind }) =>
      retention.finished(connection, { kind, at, spans: Pruning.ofAnyStatus, limit: excess })
    )
    const going = Pruning.atMost(Array.sort(oldest.flat(), byEnd), excess)
    const hidden = yield* retention.hide(
      connection,
      going.map(({ id }) => id)
    )
    yield* retention.remove(connection, hidden, Effect.succeed(false))
    return hidden.length
  })

/** No other process waits for a transaction, and no commit for a disk: a write need not wait for others that could share one. */
const atOnce = Effect.map(RealClock, (clock) => ({ ...clock, turn: Effect.yieldNow() }))

/** The database's clock is that of the program, which in a test may be a `TestClock`: SQLite would read that of the machine. */
const dialectBy = (clock: Clock.Clock): Dialect => ({
  ...dialect,
  get now() {
    return `${Math.floor(clock.unsafeCurrentTimeMillis())}`
  }
})

export const make: Effect.Effect<Service, never, Scope.Scope> = Effect.gen(function* () {
  let dropped = 0
  const session = yield* SqliteSession.make(yield* SqlClient.SqlClient, dialectBy(yield* Effect.clock))
  const inMemory = {
    ...unguarded,
    // Before the writes of the transaction are acknowledged, so that their callers see no more runs than that.
    confirm: (connection: Connection) =>
      Effect.as(Effect.ignoreLogged(Effect.map(dropOldest(connection), (runs) => (dropped += runs))), true)
  }
  const store = yield* SqliteRunStore.open({ isWritable: true, session, inMemory })
  return {
    ...store,
    prunings: Effect.map(store.prunings, (prunings) => prunings + dropped),
    // No application has the client, and so none writes with it in a transaction.
    outbox: { ...store.outbox, transaction: identity }
  }
}).pipe(
  Effect.provideServiceEffect(RealClock, atOnce),
  Effect.provideServiceEffect(SqlClient.SqlClient, MemoryDatabase.open),
  Effect.orDie
)
