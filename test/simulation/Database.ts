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

/** Whether the statements of a process fail, or get no answer, while it misses the database. */
export type Cut = "refused" | "silent"

export interface Database {
  /** As the audit sees it: nothing fails. */
  readonly query: (sql: string, ...params: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
  readonly client: (life: Life, options?: { readonly mayBeCut: boolean }) => Layer.Layer<SqlClient.SqlClient>
  /** For whoever looks from outside. */
  readonly plain: Layer.Layer<SqlClient.SqlClient>
  readonly setFault: (fault: Fault | undefined) => void
  /** How probable it is that a statement takes long. */
  readonly setSlowness: (probability: number) => void
  /** The process is dead: its transaction is rolled back. */
  readonly abandon: (life: Life) => void
  /** The server ends the connections of a process, and the transaction that is open on one. */
  readonly disconnect: (life: Life) => void
  /** The database does not answer a process; where that is in the middle of a commit, it has committed. */
  readonly cutOff: (life: Life, cut: Cut) => void
  readonly reconnect: (life: Life) => void
  /** Nobody has the lock. */
  readonly isAtRest: () => boolean
  /** The file, as bytes. */
  readonly content: () => Buffer
  readonly close: () => void
}

const driverError = (code: string) => Object.assign(new Error(`made to fail with ${code}`), { code })

const failed = (cause: unknown) => new SqlError({ cause, message: "Failed to execute statement" })

type Execute = (sql: string, params: ReadonlyArray<unknown>) => ReadonlyArray<unknown>

type Run = (sql: string, params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<unknown>, SqlError>

const runOf =
  (execute: Execute): Run =>
  (sql, params) =>
    Effect.try({ try: () => [...execute(sql, params)], catch: failed })

const clientOf = (run: Run): Layer.Layer<SqlClient.SqlClient> => {
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
  // The clock of the database is that of the simulation.
  database.function("unixepoch", { varargs: true }, () => timeline.now() / 1_000)
  const prepareAnew = (sql: string) => database.prepare<ReadonlyArray<unknown>>(sql)
  const prepared = new Map<string, ReturnType<typeof prepareAnew>>()
  let fault: Fault | undefined
  let counted = 0
  let slowness = 0
  let holder: Life | undefined
  const cuts = new Map<Life, Cut>()
  /** Those whose transaction the server has ended, and who do not know it yet. */
  const ended = new Set<Life>()
  /** Those who wait for an answer. */
  const waiting = new Map<Life, Set<() => void>>()

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

  const disconnect = (life: Life) => {
    if (holder !== life) return
    rollBack()
    ended.add(life)
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
    if (cuts.has(life)) throw driverError("ECONNREFUSED")
    if (ended.has(life)) {
      if (sql !== "ROLLBACK" && !sql.startsWith("BEGIN")) throw driverError("ECONNRESET")
      ended.delete(life)
      if (sql === "ROLLBACK") return []
    }
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

  const isSilent = (life: Life) => cuts.get(life) === "silent"

  const untilReconnected = (life: Life) =>
    Effect.async<void>((resume) => {
      const answer = () => resume(Effect.void)
      const all = waiting.get(life) ?? new Set()
      waiting.set(life, all.add(answer))
      return Effect.sync(() => void all.delete(answer))
    })

  /** As a process runs a statement that may be without its database: the answer of a commit may be late as well. */
  const runFor = (life: Life): Run => {
    const run = runOf((sql, params) => execute(life, sql, params))
    const answer = Effect.suspend(() => (isSilent(life) ? untilReconnected(life) : Effect.void))
    return (sql, params) => Effect.zipRight(answer, Effect.zipLeft(run(sql, params), answer))
  }

  return {
    query: (sql, ...params) => prepare(sql).all(...params),
    client: (life, { mayBeCut } = { mayBeCut: false }) =>
      clientOf(mayBeCut ? runFor(life) : runOf((sql, params) => execute(life, sql, params))),
    plain: clientOf(runOf(all)),
    setFault: (next) => {
      fault = next
      counted = 0
    },
    setSlowness: (probability) => {
      slowness = probability
    },
    abandon: (life) => {
      if (holder === life) rollBack()
      cuts.delete(life)
      ended.delete(life)
    },
    disconnect,
    cutOff: (life, cut) => {
      disconnect(life)
      cuts.set(life, cut)
    },
    reconnect: (life) => {
      cuts.delete(life)
      const answers = waiting.get(life) ?? []
      waiting.delete(life)
      for (const answer of answers) answer()
    },
    isAtRest: () => holder === undefined,
    content: () => database.serialize(),
    close: () => database.close()
  }
}
