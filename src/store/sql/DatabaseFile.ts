/**
 * The files under an open database. SQLite goes on writing into a file that was deleted, replaced or cut short, and
 * acknowledges it: so what has its name is compared with what was opened, before each transaction and every two seconds. One
 * that was too large to be looked through for damage before is so now.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema, type Scope } from "effect"
import { statSync } from "node:fs"
import { StoreError } from "../../domain/errors.js"
import * as Damage from "../Damage.js"
import { reasonOf, storeError } from "../failure.js"
import { WallClock } from "../WallClock.js"
import { query, type Session } from "./Session.js"

const everyMillis = 2_000

export interface Options {
  /** Whether this store is to write it, rather than only to look at it. */
  readonly isWritten: boolean
}

/** Fails once the file is no longer what was opened; always succeeds for a database in memory. */
export type Guard = (connection: Connection) => Effect.Effect<void, StoreError | SqlError>

const selectFile = query(Schema.Struct({ name: Schema.String, file: Schema.NullOr(Schema.String) }))

const selectBytes = query(Schema.Struct({ bytes: Schema.Number }))

const selectLog = query(Schema.Struct({ log: Schema.Number, checkpointed: Schema.Number }))

/** A client remembers what could not be prepared. */
const unprepared = (connection: Connection): Connection => ({ ...connection, execute: connection.executeUnprepared })

/**
 * Whether the database is longer than its file. It may be while a part of it is only in its log, unless the file has shrunk.
 * Of a file that is too short for its own header SQLite says that it is damaged.
 */
const isCutShort = (prepared: Connection, size: number, hasShrunk: boolean): Effect.Effect<boolean, SqlError> => {
  const connection = unprepared(prepared)
  return Effect.gen(function* () {
    if (size === 0) return true
    const [pages] = yield* selectBytes(
      connection,
      "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()",
      []
    )
    if (pages === undefined || pages.bytes <= size) return false
    const [state] = yield* selectLog(connection, "PRAGMA wal_checkpoint(NOOP)", [])
    return hasShrunk || state?.log === state?.checkpointed
  }).pipe(
    Effect.catchIf(
      (error) => reasonOf(error) === "corrupt",
      () => Effect.succeed(true)
    )
  )
}

/** Nothing is opened for this: to close it would give up the locks that SQLite has on the file. */
const look = (path: string) => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && { identity: `${stat.dev}:${stat.ino}`, size: stat.size }
}

const fateOf = (found: object | undefined) => (found === undefined ? "deleted" : "replaced")

const lost = (path: string, fate: "deleted" | "replaced") =>
  new StoreError({
    operation: "use the database",
    reason: "replaced",
    cause: new Error(`${path} was ${fate} while it was open; put it back and start again`)
  })

const cutShort = (path: string) =>
  new StoreError({
    operation: "use the database",
    reason: "corrupt",
    cause: new Error(`${path} was cut short while it was open; restore it from a backup and start again`)
  })

const logHeader = 32
const frameHeader = 24

/**
 * Whether the log is shorter than what SQLite has written into it, which would go on behind the gap. It is asked before and
 * after: another process that uses the database may begin the log anew between two questions.
 */
const isLogCutShort = (prepared: Connection, path: string): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const connection = unprepared(prepared)
    const [before] = yield* selectLog(connection, "PRAGMA wal_checkpoint(NOOP)", [])
    const size = look(path)?.size ?? 0
    const [after] = yield* selectLog(connection, "PRAGMA wal_checkpoint(NOOP)", [])
    if (before === undefined || before.log <= 0 || before.log !== after?.log) return false
    const [page] = yield* selectBytes(connection, "SELECT page_size AS bytes FROM pragma_page_size()", [])
    return page !== undefined && size < logHeader + before.log * (frameHeader + page.bytes)
  })

/** The path of the database, without symbolic links; none when it is in memory. */
export const of = (session: Session): Effect.Effect<string | undefined, StoreError> =>
  Effect.map(
    session.read("open the store", (connection) => selectFile(connection, "PRAGMA database_list", [])),
    (databases) => databases.find(({ name }) => name === "main")?.file || undefined
  )

export const guard = (
  session: Session,
  path: string | undefined,
  { isWritten }: Options
): Effect.Effect<Guard, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    if (path === undefined) return () => Effect.void

    const opened = look(path)
    let size = 0

    const check = (connection: Connection, always: boolean) =>
      Effect.suspend(() => {
        const found = look(path)
        if (found === undefined || found.identity !== opened?.identity) return lost(path, fateOf(found))
        if (found.size === size && !always) return Effect.void
        return Effect.flatMap(isCutShort(connection, found.size, found.size < size), (isCut) => {
          if (isCut) return cutShort(path)
          size = found.size
          return Effect.void
        })
      })

    // Its log is as much the database as the file is: what was committed last is only there.
    const log = `${path}-wal`
    const logOpened = look(log)
    let logLost: StoreError | undefined
    const checkLog = Effect.suspend(() => {
      const found = look(log)
      logLost = logOpened && logOpened.identity !== found?.identity ? lost(log, fateOf(found)) : undefined
      return logLost ?? Effect.void
    })

    let logSize = 0
    const checkLogLength = (connection: Connection, always: boolean) =>
      Effect.suspend(() => {
        const found = look(log)
        const isShorter = (found?.size ?? 0) < logSize
        if (!isShorter && !always) {
          logSize = found?.size ?? 0
          return Effect.void
        }
        return Effect.flatMap(isLogCutShort(connection, log), (isCut) => {
          if (isCut) return found === undefined ? lost(log, "deleted") : cutShort(log)
          logSize = found?.size ?? 0
          return Effect.void
        })
      })

    let damage: StoreError | undefined
    const lookThrough = Effect.catchAll(Damage.refuseBeside(path), (error) => {
      damage = error
      return Effect.logError(error.message)
    })

    let told = false
    const tell = ({ message, reason }: StoreError) =>
      Effect.suspend(() => {
        if (told || reason === "busy") return Effect.void
        told = true
        return Effect.logError(message)
      })

    const { sleep } = yield* WallClock
    const watch = Effect.zipRight(
      checkLog,
      session.reserve((connection) => Effect.zipRight(check(connection, true), checkLogLength(connection, true)))
    ).pipe(
      Effect.mapError(storeError("look after the database file")),
      Effect.matchEffect({
        onSuccess: () => Effect.sync(() => (told = false)),
        onFailure: tell
      })
    )
    const inBackground = (effect: Effect.Effect<void>) =>
      effect.pipe(Effect.annotateLogs({ module: "charlotte/RunStore" }), Effect.interruptible, Effect.forkScoped)
    yield* inBackground(Effect.forever(Effect.zipRight(sleep(everyMillis), watch)))
    if (isWritten && Damage.isLarge(path)) yield* inBackground(lookThrough)
    return (connection) =>
      Effect.suspend(
        () => damage ?? logLost ?? Effect.zipRight(check(connection, false), checkLogLength(connection, false))
      )
  })
