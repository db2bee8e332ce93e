/**
 * A real SQLite database in memory that outlives the processes which use it, and fails, or is slow, or is locked, when it is
 * told to.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import Sqlite from "better-sqlite3"
import { Effect, Layer } from "effect"
import type { Life } from "./Life.js"
import type { Machine } from "./Machine.js"

export interface Fault {
  /** As the driver says it. */
  readonly code: string
  /** So many statements go well before. */
  readonly after: number
  /** So many fail. */
  readonly times: number
  /** Only statements that this is found in are counted. */
  readonly matching: RegExp
  /** SQLite rolls a transaction back by itself after some failures. */
  readonly rollsBack: boolean
}

export interface Database {
  /** As the audit sees it: nothing fails. */
  readonly query: (sql: string, ...params: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
  readonly client: (life: Life) => Layer.Layer<SqlClient.SqlClient>
  /** For whoever looks from outside. */
  readonly plain: Layer.Layer<SqlClient.SqlClient>
  readonly setFault: (fault: Fault | undefined) => void
  /** How probable it is that a statement takes long. */
  readonly setSlowness: (probability: number) => void
  /** The process is dead: its transaction is rolled back. */
  readonly abandon: (life: Life) => void
  /** Nobody has the lock. */
  readonly isAtRest: () => boolean
  /** The file, as bytes. */
  readonly content: () => Buffer
  readonly close: () => void
}

const driverError = (code: string) => Object.assign(new Error(`made to fail with ${code}`), { code })

const failed = (cause: unknown) => new SqlError({ cause, message: "Failed to execute statement" })

type Execute = (sql: string, params: ReadonlyArray<unknown>) => ReadonlyArray<unknown>

const clientOf = (execute: Execute): Layer.Layer<SqlClient.SqlClient> => {
  const run = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.try({ try: () => [...execute(sql, params)], catch: failed })
  const connection: Connection = {
    execute: run,
    executeRaw: run,
    executeUnprepared: run,
    executeValues: () => Effect.dieMessage("nobody asks for values"),
    executeStream: () => {
      throw new Error("nobody asks for a stream")
    }
  }
  return Layer.scoped(
    SqlClient.SqlClient,
    Effect.flatMap(Effect.makeSemaphore(1), (turns) =>
      SqlClient.make({
        acquirer: turns.withPermits(1)(Effect.succeed(connection)),
        // Not interruptible: a semaphore of Effect loses a permit when a fiber that has just got it makes way, and is
        // interrupted then. Under its own scheduler none makes way there; under this one any may.
        transactionAcquirer: Effect.as(
          Effect.acquireRelease(turns.take(1), () => turns.release(1)),
          connection
        ),
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: []
      })
    )
  ).pipe(Layer.provide(Reactivity.layer))
}

export const make = (
  machine: Machine,
  options: {
    /** The content of the file at the beginning. */
    readonly content: Buffer | undefined
    readonly onCommitted: (life: Life) => void
  }
): Database => {
  const { random, timeline, trace } = machine
  const database = new Sqlite(options.content ?? ":memory:")
  database.exec("PRAGMA foreign_keys = ON")
  const prepareAnew = (sql: string) => database.prepare<ReadonlyArray<unknown>>(sql)
  const prepared = new Map<string, ReturnType<typeof prepareAnew>>()
  let fault: Fault | undefined
  let counted = 0
  let slowness = 0
  let holder: Life | undefined

  const prepare = (sql: string) => {
    const statement = prepared.get(sql) ?? prepareAnew(sql)
    prepared.set(sql, statement)
    return statement
  }

  const all: Execute = (sql, params) => {
    const statement = prepare(sql)
    if (statement.reader) return statement.all(...params)
    statement.run(...params)
    return []
  }

  const rollBack = () => {
    holder = undefined
    if (database.inTransaction) database.exec("ROLLBACK")
  }

  /** The fault that befalls this statement. */
  const befalling = (sql: string): Fault | undefined => {
    if (fault === undefined || !fault.matching.test(sql)) return undefined
    counted += 1
    return counted > fault.after && counted <= fault.after + fault.times ? fault : undefined
  }

  const freeze = () => {
    timeline.freeze(random.between(1, 400))
    machine.disturb()
  }

  const execute = (life: Life, text: string, params: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
    const sql = text.trim()
    if (slowness > 0 && random.chance(slowness)) freeze()
    // One connection stands for those of all processes: who has no transaction waits for whoever has one.
    if (holder !== undefined && holder !== life) {
      machine.disturb()
      throw driverError("SQLITE_BUSY")
    }
    const befallen = sql === "ROLLBACK" ? undefined : befalling(sql)
    if (befallen !== undefined) {
      machine.disturb()
      trace.say(`${life.pid} ${befallen.code} at ${sql.slice(0, 40)}`)
      if (befallen.rollsBack) rollBack()
      throw driverError(befallen.code)
    }
    const rows = all(sql, params)
    if (sql.startsWith("BEGIN")) holder = life
    else if (!database.inTransaction) {
      const isOver = holder !== undefined
      holder = undefined
      if (isOver && sql === "COMMIT") options.onCommitted(life)
    }
    return rows
  }

  return {
    query: (sql, ...params) => prepare(sql).all(...params),
    client: (life) => clientOf((sql, params) => execute(life, sql, params)),
    plain: clientOf(all),
    setFault: (next) => {
      fault = next
      counted = 0
    },
    setSlowness: (probability) => {
      slowness = probability
    },
    abandon: (life) => {
      if (holder === life) rollBack()
    },
    isAtRest: () => holder === undefined,
    content: () => database.serialize(),
    close: () => database.close()
  }
}
