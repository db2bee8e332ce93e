/** An SQLite database that fails, or is held up, where a test tells it to. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import { Database, type errors } from "charlotte"
import { Context, Effect, Layer } from "effect"

export interface Fault {
  /** The first statement that fails, counted from 1, from when the faults are set. */
  readonly from: number
  /** The last one; the same as the first when left out. */
  readonly to?: number
  /** Only statements that this is found in are counted; all of them, but for `ROLLBACK`, when left out. */
  readonly matching?: RegExp
  /** As the driver would say it; `SQLITE_FULL` when left out. */
  readonly code?: string
  /** SQLite rolls a transaction back by itself after some failures. */
  readonly rollsBack?: boolean
}

export interface Service {
  /** Sets the fault, and begins to count anew. */
  readonly set: (fault: Fault) => Effect.Effect<void>
  readonly clear: Effect.Effect<void>
  /** How many statements have failed since the fault was set. */
  readonly failures: Effect.Effect<number>
  /** Returns when the first has. */
  readonly hit: Effect.Effect<void>
  /** The statements that came since the fault was set or cleared, failed ones too. */
  readonly statements: Effect.Effect<ReadonlyArray<string>>
  /** Holds up the next statement in which `matching` is found. */
  readonly hold: (matching: RegExp) => Effect.Effect<Held>
}

export interface Held {
  /** Returns when the statement has come. */
  readonly reached: Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

export class FailingSql extends Context.Tag("test/FailingSql")<FailingSql, Service>() {}

const everything = /^(?!ROLLBACK)/

const driverError = (code: string) => Object.assign(new Error(`made to fail with ${code}`), { code })

const makeFaults = () => {
  let fault: Fault | undefined
  let counted = 0
  let failures = 0
  let hit = Effect.unsafeMakeLatch()
  let statements: Array<string> = []
  const reset = (next: Fault | undefined) => {
    fault = next
    counted = failures = 0
    hit = Effect.unsafeMakeLatch()
    statements = []
  }
  let held: { readonly matching: RegExp; readonly latch: Effect.Latch; readonly reached: Effect.Latch } | undefined
  const holdUp = (sql: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (held === undefined || !held.matching.test(sql.trim())) return Effect.void
      const { latch, reached } = held
      held = undefined
      return Effect.zipRight(reached.open, latch.await)
    })
  const service: Service = {
    set: (next) => Effect.sync(() => reset(next)),
    clear: Effect.sync(() => reset(undefined)),
    failures: Effect.sync(() => failures),
    hit: Effect.suspend(() => hit.await),
    statements: Effect.sync(() => statements),
    hold: (matching) =>
      Effect.sync(() => {
        const latch = Effect.unsafeMakeLatch()
        const reached = Effect.unsafeMakeLatch()
        held = { matching, latch, reached }
        return { reached: reached.await, release: latch.open }
      })
  }
  /** The fault that befalls this statement. */
  const befalling = (sql: string): Fault | undefined => {
    statements.push(sql.trim())
    if (fault === undefined || !(fault.matching ?? everything).test(sql.trim())) return undefined
    counted += 1
    const { from, to = from } = fault
    if (counted < from || counted > to) return undefined
    failures += 1
    hit.unsafeOpen()
    return fault
  }
  return { service, befalling, holdUp }
}

const wrap = (connection: Connection, { befalling, holdUp }: ReturnType<typeof makeFaults>): Connection => {
  const guarded = <A, E>(sql: string, run: () => Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> =>
    Effect.flatMap(holdUp(sql), (): Effect.Effect<A, E | SqlError> => {
      const fault = befalling(sql)
      if (fault === undefined) return run()
      const failure = new SqlError({ cause: driverError(fault.code ?? "SQLITE_FULL"), message: "made to fail" })
      return fault.rollsBack === true
        ? Effect.zipRight(Effect.ignore(connection.execute("ROLLBACK", [], undefined)), failure)
        : failure
    })
  return {
    execute: (sql, ...rest) => guarded(sql, () => connection.execute(sql, ...rest)),
    executeRaw: (sql, ...rest) => guarded(sql, () => connection.executeRaw(sql, ...rest)),
    executeValues: (sql, ...rest) => guarded(sql, () => connection.executeValues(sql, ...rest)),
    executeUnprepared: (sql, ...rest) => guarded(sql, () => connection.executeUnprepared(sql, ...rest)),
    executeStream: connection.executeStream
  }
}

/** As `Database.layer`, with faults. */
export const layer = (options: Database.Options): Layer.Layer<SqlClient.SqlClient | FailingSql, errors.StoreError> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const database = yield* SqlClient.SqlClient
      const faults = makeFaults()
      const connection = wrap(yield* Effect.scoped(database.reserve), faults)
      const acquirer = Effect.as(database.reserve, connection)
      const client = yield* SqlClient.make({
        acquirer,
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: []
      })
      return Context.make(SqlClient.SqlClient, client).pipe(Context.add(FailingSql, faults.service))
    }).pipe(Effect.orDie)
  ).pipe(Layer.provide([Database.layer(options), Reactivity.layer]))
