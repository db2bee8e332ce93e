/**
 * Finds a live manager on a database of an earlier version, whose tables must not be migrated under it.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, type Option, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import { orStoreError } from "../sql/mapSqlError.js"
import { reserve } from "../sql/reserve.js"
import { decodeRows } from "../sql/statements.js"
import * as FileLock from "./FileLock.js"

/** The versions that brought the table of owners, and the locks that prove that they are alive. */
const withOwners = 3
const withLocks = 7

const Row = Schema.Struct({
  kind: Schema.String,
  pid: Schema.Number,
  boot_id: Schema.String,
  start_time: Schema.String,
  pid_namespace: Schema.String,
  lock_path: Schema.NullOr(Schema.String),
  file: Schema.String
})

type Row = typeof Row.Type

/** The statement is not prepared: a client caches a failed prepare and would report busy forever. */
const owners = (version: number) =>
  Effect.gen(function* () {
    if (version < withOwners) return []
    const { executeUnprepared } = yield* Effect.flatMap(SqlClient.SqlClient, reserve)
    const lockPath = version < withLocks ? "NULL" : "lock_path"
    return yield* Effect.flatMap(
      executeUnprepared(
        `SELECT kind, pid, boot_id, start_time, pid_namespace, ${lockPath} AS lock_path, file
         FROM charlotte_owners, pragma_database_list WHERE name = 'main'`,
        [],
        undefined
      ),
      decodeRows(Row)
    )
  }).pipe(Effect.scoped, orStoreError("migrate"))

/** The record in a copy of a database names the lock of the original, whose owner does not own the copy. */
const isAlive = ({ boot_id, file, lock_path, pid, pid_namespace, start_time }: Row) =>
  lock_path === null
    ? Effect.flatMap(KernelRef, ({ isAlive }) =>
        isAlive({ pid, bootId: boot_id, startTime: start_time, pidNamespace: pid_namespace })
      )
    : lock_path.startsWith(`${file}-`)
      ? Effect.scoped(FileLock.acquire(lock_path)).pipe(
          Effect.as(false),
          Effect.catchTag("LockHeld", () => Effect.succeed(true))
        )
      : Effect.succeed(false)

export const find = (
  version: number
): Effect.Effect<Option.Option<{ readonly kind: string; readonly pid: number }>, StoreError, SqlClient.SqlClient> =>
  Effect.flatMap(owners(version), Effect.findFirst(isAlive))
