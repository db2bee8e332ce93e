/**
 * The files under an open database. SQLite goes on writing into a file that was deleted, replaced or cut short, and
 * acknowledges it: so they are compared with what was opened before each transaction, after it, and every second. Checkpoints
 * write into the database file, so they are made here, right after such a comparison, and by no connection on its own.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either, Schema, type Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import { retryWhileBusy } from "./busyRetry.js"
import * as IntegrityCheck from "./IntegrityCheck.js"
import * as Driver from "../Driver.js"
import { orStoreError, reasonOf, storeError } from "./mapSqlError.js"
import { RealClock } from "../../internal/RealClock.js"
import * as FileErrors from "./FileErrors.js"
import * as FileState from "./FileState.js"
import * as Generation from "./Generation.js"
import * as Keeper from "./Keeper.js"
import { query, type Session } from "./Session.js"

const everyMillis = 1_000
/** While in doubt. */
const soonMillis = 250

/** For how long a change may be a checkpoint of another process that has not ended, in milliseconds. */
const doubt = 2_000

/** Frames in the log before they are carried into the file, as SQLite itself would. */
const checkpointFrames = 1_000
const checkpointBytes = checkpointFrames * 4_096
/** It is counted after so many transactions. */
const countEvery = 16

export interface Options {
  /** Whether this store is to write it, rather than only to look at it. */
  readonly isWritten: boolean
}

export interface Guard {
  /** Fails once the files are no longer what was opened; in doubt as `busy`. Before a transaction. */
  readonly check: (connection: Connection) => Effect.Effect<void, StoreError | SqlError>
  /** The first statement of a transaction: says from which state of the file its log goes on. */
  readonly begin: (connection: Connection) => Effect.Effect<void, SqlError>
  /** Whether they still are what they were before the transaction that was committed. In doubt `check` decides. */
  readonly confirm: (connection: Connection) => Effect.Effect<boolean>
  /** Carries the log into the file when it has grown long enough. */
  readonly checkpoint: Effect.Effect<void>
}

const unguarded: Guard = {
  check: () => Effect.void,
  begin: () => Effect.void,
  confirm: () => Effect.succeed(true),
  checkpoint: Effect.void
}

const selectFile = query(Schema.Struct({ name: Schema.String, file: Schema.NullOr(Schema.String) }))
const selectBytes = query(Schema.Struct({ bytes: Schema.Number }))
const selectLog = query(Schema.Struct({ log: Schema.Number, checkpointed: Schema.Number }))
const selectMode = query(Schema.Struct({ journal_mode: Schema.String }))
const selectAutomatic = query(Schema.Struct({ wal_autocheckpoint: Schema.Number }))

/** A client remembers what could not be prepared. */
const unprepared = (connection: Connection): Connection => ({ ...connection, execute: connection.executeUnprepared })

const countFrames = (connection: Connection) =>
  Effect.map(selectLog(unprepared(connection), "PRAGMA wal_checkpoint(NOOP)", []), ([row]) => ({
    frames: Math.max(row?.log ?? 0, 0),
    checkpointed: Math.max(row?.checkpointed ?? 0, 0)
  }))

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
    const { checkpointed, frames } = yield* countFrames(connection)
    return hasShrunk || frames === checkpointed
  }).pipe(
    Effect.catchIf(
      (error) => reasonOf(error) === "corrupt",
      () => Effect.succeed(true)
    )
  )
}

const frameHeader = 24

/**
 * Whether the log is shorter than what SQLite has written into it, which would go on behind the gap. It is counted before and
 * after: another process that uses the database may begin the log again in between.
 */
const isLogCutShort = (prepared: Connection, path: string): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const connection = unprepared(prepared)
    const before = yield* countFrames(connection)
    const size = FileState.stat(path)?.size ?? 0
    const after = yield* countFrames(connection)
    if (before.frames === 0 || before.frames !== after.frames) return false
    const [page] = yield* selectBytes(connection, "SELECT page_size AS bytes FROM pragma_page_size()", [])
    return page !== undefined && size < FileState.logHeaderSize + before.frames * (frameHeader + page.bytes)
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
    if (path === undefined) return unguarded
    const log = `${path}-wal`
    const { now: time, sleep } = yield* RealClock

    const look = (connection: Connection): Effect.Effect<FileState.FileState, SqlError> =>
      // The files come last: of a checkpoint that ends in between, the next comparison sees the count, and not the change alone.
      Effect.map(countFrames(connection), (count) => ({
        main: FileState.stat(path),
        log: FileState.stat(log),
        header: FileState.logHeader(log),
        ...count
      }))

    const [mode] = yield* session.read("open the store", (connection) =>
      selectMode(connection, "PRAGMA journal_mode", [])
    )
    const isInLog = mode?.journal_mode === "wal"
    const isKept = isInLog && isWritten
    if (isKept) yield* turnOffCheckpoints(session)
    const keeper = isKept && Driver.isAlone() ? yield* Keeper.make(path) : undefined

    const opened = yield* session.read("open the store", look)
    let state = opened
    let doubtedSince: number | undefined
    let refusal: StoreError | undefined

    /** Fails when the change of the file is none of a checkpoint. One of another process may be on its way for a moment. */
    const assess = (now: FileState.FileState) =>
      Effect.gen(function* () {
        if (FileState.isLogForeign(state, now)) return yield* (refusal = FileErrors.logLost(log, "replaced"))
        if (FileState.isSame(state.main, now.main) || FileState.isCheckpointed(state, now)) {
          doubtedSince = undefined
          state = now
          return
        }
        const at = yield* time
        doubtedSince ??= at
        if (at - doubtedSince >= doubt) return yield* (refusal = FileErrors.replacedInPlace(path))
        const cause = new Error(`${path} has been changed by another process`)
        return yield* new StoreError({ operation: "use the database", reason: "busy", cause })
      })

    const check = (connection: Connection, always: boolean): Effect.Effect<void, StoreError | SqlError> =>
      Effect.gen(function* () {
        if (refusal !== undefined) return yield* refusal
        const main = FileState.stat(path)
        const inLog = FileState.stat(log)
        if (main === undefined || main.identity !== opened.main?.identity)
          return yield* FileErrors.lost(path, FileErrors.fateOf(main))
        if (opened.log !== undefined && opened.log.identity !== inLog?.identity)
          return yield* FileErrors.logLost(log, FileErrors.fateOf(inLog))
        if (!always && FileState.isSame(main, state.main) && FileState.isSame(inLog, state.log)) return
        const hasShrunk = main.size < (state.main?.size ?? 0)
        if ((always || main.size !== state.main?.size) && (yield* isCutShort(connection, main.size, hasShrunk)))
          return yield* FileErrors.cutShort(path)
        if ((always || (inLog?.size ?? 0) < (state.log?.size ?? 0)) && (yield* isLogCutShort(connection, log)))
          return yield* inLog === undefined ? FileErrors.logLost(log, "deleted") : FileErrors.logCutShort(log)
        const now = yield* look(connection)
        if (isInLog) yield* assess(now)
        else state = now
      })

    // Nobody else writes now; a transaction since the check would show in the log.
    const begin: Guard["begin"] = (connection) =>
      Effect.suspend(() =>
        isKept && state.checkpointed >= state.frames && FileState.isSame(FileState.stat(log), state.log)
          ? Generation.advance(connection)
          : Effect.void
      )

    let transactions = 0
    const confirm: Guard["confirm"] = (connection) =>
      Effect.suspend(() => {
        transactions += 1
        if (isInLog && !FileState.isSame(FileState.stat(path), state.main)) return Effect.succeed(false)
        if (isInLog && state.header !== undefined && state.checkpointed < state.frames) {
          state = { ...state, log: FileState.stat(log) }
          return Effect.succeed(true)
        }
        // The first transaction in a log decides what a checkpoint after it looks like.
        return Effect.match(look(connection), {
          onFailure: () => true,
          onSuccess: (now) => {
            const isSame = !isInLog || FileState.isSame(now.main, state.main)
            if (isSame) state = now
            return isSame
          }
        })
      })

    const checkpointFrom = (leastFrames: number) =>
      session.reserve((connection) =>
        Effect.gen(function* () {
          transactions = 0
          const { checkpointed, frames } = yield* countFrames(connection)
          if (frames - checkpointed < leastFrames) return
          yield* check(connection, false)
          yield* selectLog(unprepared(connection), "PRAGMA wal_checkpoint(PASSIVE)", [])
          state = yield* look(connection)
        })
      )
    const checkpointNow = checkpointFrom(checkpointFrames)
    // What the opening has written, and what a crash has left: from here on each log has a generation of its own.
    if (isKept) yield* Effect.ignoreLogged(checkpointFrom(1))
    const checkpoint = Effect.suspend(() =>
      isKept && transactions >= countEvery && (state.log?.size ?? 0) >= checkpointBytes
        ? Effect.ignoreLogged(checkpointNow)
        : Effect.void
    )

    let damage: StoreError | undefined
    const lookThrough = Effect.catchAll(IntegrityCheck.refuseBeside(path), (error) => {
      damage = error
      return Effect.logError(error.message)
    })

    let isReported = false
    const report = ({ message, reason }: StoreError) =>
      Effect.suspend(() => {
        if (isReported || reason === "busy") return Effect.void
        isReported = true
        return Effect.logError(message)
      })

    const checkNow = session.reserve((connection) => check(connection, true))
    const watch = checkNow.pipe(
      Effect.zipRight(isKept ? checkpointNow : Effect.void),
      Effect.mapError(storeError("watch the database file")),
      Effect.matchEffect({
        onSuccess: () => Effect.sync(() => (isReported = false)),
        onFailure: report
      })
    )
    if (keeper !== undefined) {
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(Effect.either(checkNow), (files) => (Either.isRight(files) ? keeper.close : keeper.keep))
      )
    }
    const inBackground = (effect: Effect.Effect<void>) =>
      effect.pipe(Effect.annotateLogs({ module: "charlotte/RunStore" }), Effect.interruptible, Effect.forkScoped)
    const pause = Effect.suspend(() => sleep(doubtedSince === undefined ? everyMillis : soonMillis))
    yield* inBackground(Effect.forever(Effect.zipRight(pause, watch)))
    if (isWritten && IntegrityCheck.isLarge(path)) yield* inBackground(lookThrough)

    return {
      check: (connection) => Effect.suspend(() => damage ?? check(connection, false)),
      begin,
      confirm,
      checkpoint
    }
  })

/** Until the store closes no connection of this client makes a checkpoint on its own. */
const turnOffCheckpoints = (session: Session) =>
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
