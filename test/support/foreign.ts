/** Somebody else's connection to the same database file. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Effect, type Scope } from "effect"

const connect = (filename: string) =>
  Effect.provide(SqliteClient.make({ filename, disableWAL: true }), Reactivity.layer)

/** Begins a transaction, such as `BEGIN IMMEDIATE`, and gives what commits it. */
export const lock = (filename: string, begin: string): Effect.Effect<Effect.Effect<void>, never, Scope.Scope> =>
  Effect.tap(connect(filename), (sql) => sql.unsafe(begin)).pipe(
    Effect.map((sql) => Effect.asVoid(sql.unsafe("COMMIT")).pipe(Effect.orDie)),
    Effect.orDie
  )

/** Whether nobody is in the midst of a transaction that writes. */
export const isFree = (filename: string): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const sql = yield* connect(filename)
    for (const statement of ["PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE", "ROLLBACK"]) yield* sql.unsafe(statement)
  }).pipe(Effect.scoped, Effect.isSuccess)
