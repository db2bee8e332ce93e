/**
 * The write-ahead log: its frames and the file sizes as SQLite knows them, and its checkpoints.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { retryWhileBusy } from "../sql/busyRetry.js"
import * as FileState from "./FileState.js"
import { orStoreError, reasonOf } from "../sql/mapSqlError.js"
import type { Session } from "../sql/Session.js"
import { query } from "../sql/statements.js"

/** WAL frames before a checkpoint, as in SQLite's automatic checkpoints. */
export const checkpointFrames = 1_000

const selectBytes = query(Schema.Struct({ bytes: Schema.Number }))
const selectLog = query(Schema.Struct({ log: Schema.Number, checkpointed: Schema.Number }))
const selectAutomatic = query(Schema.Struct({ wal_autocheckpoint: Schema.Number }))

/** Statements are not prepared, since a client caches a failed prepare. */
const unprepared = (connection: Connection): Connection => ({ ...connection, execute: connection.executeUnprepared })

export const countFrames = (connection: Connection) =>
  Effect.map(selectLog(unprepared(connection), "PRAGMA wal_checkpoint(NOOP)", []), ([row]) => ({
    frames: Math.max(row?.log ?? 0, 0),
    checkpointed: Math.max(row?.checkpointed ?? 0, 0)
  }))

/**
 * Whether the database file was truncated. The file may be shorter than the database while some pages are only in the WAL, unless
 * the file has shrunk. SQLite reports a file shorter than its header as corrupt. The size of the file is read last, since another
 * process may write and run a checkpoint meanwhile, which makes the file longer.
 */
export const isTruncated = (
  prepared: Connection,
  path: string,
  sizeBefore: number
): Effect.Effect<boolean, SqlError> => {
  const connection = unprepared(prepared)
  return Effect.gen(function* () {
    const [pages] = yield* selectBytes(
      connection,
      "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
      []
    )
    const { checkpointed, frames } = yield* countFrames(connection)
    const size = FileState.stat(path)?.size ?? 0
    if (size === 0) return true
    return pages !== undefined && pages.bytes > size && (size < sizeBefore || frames === checkpointed)
  }).pipe(
    Effect.catchIf(
      (error) => reasonOf(error) === "corrupt",
      () => Effect.succeed(true)
    )
  )
}

const frameHeader = 24

/**
 * Whether the WAL is shorter than the data that SQLite has written to it; further frames would follow a gap. The frames are counted
 * before and after, since another process may restart the WAL in between.
 */
export const isLogTruncated = (prepared: Connection, path: string): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const connection = unprepared(prepared)
    const before = yield* countFrames(connection)
    const size = FileState.stat(path)?.size ?? 0
    const after = yield* countFrames(connection)
    if (before.frames === 0 || before.frames !== after.frames) return false
    const [page] = yield* selectBytes(connection, "SELECT page_size AS bytes FROM pragma_page_size()", [])
    return page !== undefined && size < FileState.logHeaderSize + before.frames * (frameHeader + page.bytes)
  })

/** Writes to the database file the frames that no reader needs in the log any more. */
export const checkpointPassively = (connection: Connection) =>
  selectLog(unprepared(connection), "PRAGMA wal_checkpoint(PASSIVE)", [])

/** Disables automatic checkpoints on the connections of this client until the store closes. */
export const disableAutoCheckpoint = (session: Session) =>
  Effect.gen(function* () {
    const set = (frames: number) =>
      session.reserve((connection) =>
        selectAutomatic(unprepared(connection), `PRAGMA wal_autocheckpoint = ${frames}`, [])
      )
    const [before] = yield* session.read("open the store", (connection) =>
      selectAutomatic(unprepared(connection), "PRAGMA wal_autocheckpoint", [])
    )
    yield* Effect.acquireRelease(retryWhileBusy(set(0)).pipe(orStoreError("open the store")), () =>
      Effect.ignore(set(before?.wal_autocheckpoint ?? checkpointFrames))
    )
  })
