/**
 * Statements on `charlotte_owners`.
 */
import type { Connection } from "./Dialect.js"
import { Effect, Option, Schema } from "effect"
import type { Owner, OwnerLock } from "../port/RunStoreService.js"
import { columnsOf, execute, nullable, query, upsert } from "./statements.js"

const Row = Schema.Struct({
  kind: Schema.String,
  id: Schema.String,
  pid: Schema.Number,
  boot_id: Schema.String,
  start_time: Schema.String,
  pid_namespace: Schema.String,
  lock_path: nullable(Schema.String),
  lock_file: nullable(Schema.String),
  machine: nullable(Schema.String)
})

const select = query(Row)

const lockOf = (path: string | null, file: string | null): OwnerLock | undefined =>
  path === null || file === null ? undefined : { path, file }

export const get = (connection: Connection, kind: string) =>
  Effect.map(
    select(connection, `SELECT ${columnsOf(Row)} FROM charlotte_owners WHERE kind = ?`, [kind]),
    ([row]): Option.Option<Owner> =>
      Option.map(Option.fromNullable(row), (row) => ({
        kind: row.kind,
        id: row.id,
        process: { pid: row.pid, bootId: row.boot_id, startTime: row.start_time, pidNamespace: row.pid_namespace },
        lock: lockOf(row.lock_path, row.lock_file),
        machine: row.machine ?? undefined
      }))
  )

export const claim = (
  connection: Connection,
  { id, kind, lock, machine, process }: Owner,
  replacing: Option.Option<Owner>
) =>
  Effect.gen(function* () {
    const current = yield* get(connection, kind)
    const unchanged = Option.getOrUndefined(current)?.id === Option.getOrUndefined(replacing)?.id
    if (unchanged) {
      yield* upsert(connection, "charlotte_owners", {
        kind,
        id,
        pid: process.pid,
        boot_id: process.bootId,
        start_time: process.startTime,
        pid_namespace: process.pidNamespace,
        lock_path: lock?.path,
        lock_file: lock?.file,
        machine
      })
    }
    return unchanged
  })

export const release = (connection: Connection, { id, kind }: Owner) =>
  execute(connection, "DELETE FROM charlotte_owners WHERE kind = ? AND id = ?", [kind, id])
