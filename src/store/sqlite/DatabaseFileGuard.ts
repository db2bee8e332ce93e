/**
 * Guards the files of an open database. SQLite keeps writing to a file that was deleted, replaced or truncated, and
 * acknowledges the writes, so before and after each transaction, and every second, the files are compared with the files that
 * were opened. Automatic checkpoints are off, since they write to the database file; the guard runs a checkpoint right after a
 * check.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either, Schema, type Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import * as IntegrityCheck from "./IntegrityCheck.js"
import * as Driver from "./Driver.js"
import type { Guard } from "../sql/Guard.js"
import { storeError } from "../sql/mapSqlError.js"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import * as FileState from "./FileState.js"
import * as Generation from "./Generation.js"
import { isCheckpointInterrupted } from "./isCheckpointInterrupted.js"
import * as Keeper from "./Keeper.js"
import type { Session } from "../sql/Session.js"
import { query } from "../sql/statements.js"
import {
  checkpointFrames,
  checkpointPassively,
  countFrames,
  disableAutoCheckpoint,
  isLogTruncated,
  isTruncated
} from "./writeAheadLog.js"

/** How often the files of an idle store are checked, in milliseconds; more often while a change is unexplained. */
const checkInterval = 1_000
const suspectCheckInterval = 250

/** How long a changed database file may be an unfinished checkpoint of another process, in milliseconds. */
const checkpointGrace = 2_000

/** WAL bytes below which there is no need to count frames. */
const checkpointBytes = checkpointFrames * 4_096
/** Transactions between two checks for a due checkpoint. */
const checkpointCheckInterval = 16

export interface Options {
  /** Whether this store writes to the database. */
  readonly isWritable: boolean
}

interface Inspected extends FileState.FileState {
  /** The newest generation that was recorded before the frames were counted; none if no generations are recorded. */
  readonly generation: string | undefined
}

/** Maps exceptions: a file that cannot be inspected, as on a failing network file system, must not end the watch or the writer. */
const orStoreFailure = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
  Effect.catchAllDefect(effect, (defect) => Effect.fail(storeError("use the database")(defect)))

const selectFile = query(Schema.Struct({ name: Schema.String, file: Schema.NullOr(Schema.String) }))
const selectMode = query(Schema.Struct({ journal_mode: Schema.String }))
/** The path of the database, with symbolic links resolved; undefined for an in-memory database. */
export const of = (session: Session): Effect.Effect<string | undefined, StoreError> =>
  Effect.map(
    session.read("open the store", (connection) => selectFile(connection, "PRAGMA database_list", [])),
    (databases) => databases.find(({ name }) => name === "main")?.file || undefined
  )

export const guard = (
  session: Session,
  path: string,
  { isWritable }: Options
): Effect.Effect<Guard, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const log = `${path}-wal`
    const { now: time, sleep } = yield* RealClock

    const [mode] = yield* session.read("open the store", (connection) =>
      selectMode(connection, "PRAGMA journal_mode", [])
    )
    const isWal = mode?.journal_mode === "wal"
    const isGuarded = isWal && isWritable

    const inspect = (connection: Connection): Effect.Effect<Inspected, SqlError> =>
      Effect.gen(function* () {
        // It is read before the frames are counted: if all of them are checkpointed then, it is in the file.
        const generation = isGuarded ? yield* Generation.current(connection) : undefined
        let header = FileState.logHeader(log)
        while (true) {
          // The frames are counted before the file is inspected: if a checkpoint ends in between, the next comparison sees the count
          // increase, never a changed file without it.
          const count = yield* countFrames(connection)
          const main = FileState.stat(path)
          const after = FileState.logHeader(log)
          // Else another process has restarted the WAL meanwhile, and the count may be that of the WAL before.
          if (FileState.isSameLog(header, after))
            return { main, log: FileState.stat(log), header, generation, ...count }
          header = after
        }
      })

    if (isGuarded) yield* disableAutoCheckpoint(session)
    const keeper = isGuarded && Driver.isAlone() ? yield* Keeper.make(path) : undefined

    const opened = yield* session.read("open the store", inspect)
    let state = opened
    let suspectSince: number | undefined
    let refusal: StoreError | undefined

    /**
     * Whether the file is still the same, although a checkpoint may have changed it. After a restart of the WAL the counts do not show
     * the checkpoint before it.
     */
    const isExplained = (connection: Connection, now: Inspected) =>
      FileState.isSame(state.main, now.main) || FileState.isCheckpointed(state, now)
        ? Effect.succeed(true)
        : FileState.isRestarted(state, now)
          ? Generation.isBaseInFile(connection, path)
          : Effect.succeed(false)

    /**
     * Fails unless a checkpoint explains the change of the file. A checkpoint of another process may still be running, or that process was
     * killed in the middle of it.
     */
    const assess = (connection: Connection, now: Inspected) =>
      Effect.gen(function* () {
        if (FileState.isLogForeign(state, now)) return yield* (refusal = logLost(log, "replaced"))
        if (yield* isExplained(connection, now)) {
          suspectSince = undefined
          state = now
          return
        }
        const at = yield* time
        suspectSince ??= at
        if (at - suspectSince >= checkpointGrace) {
          // The next checkpoint copies all frames of one that was interrupted again. One that was running may have ended by now.
          const isInterrupted = yield* isCheckpointInterrupted(path)
          const later = isInterrupted ? now : yield* inspect(connection)
          const isReplaced = !isInterrupted && !(yield* isExplained(connection, later))
          if (isReplaced) return yield* (refusal = replacedInPlace(path))
          suspectSince = undefined
          state = later
          return
        }
        const cause = new Error(`${path} was changed by another process; this may be a running checkpoint`)
        return yield* new StoreError({ operation: "use the database", reason: "busy", cause })
      })

    /** The files at the paths; fails unless they are the opened ones. */
    const sameFiles = Effect.suspend(() => {
      if (refusal !== undefined) return refusal
      const main = FileState.stat(path)
      const wal = FileState.stat(log)
      if (main === undefined || main.identity !== opened.main?.identity) return lost(path, fateOf(main))
      if (opened.log !== undefined && opened.log.identity !== wal?.identity) return logLost(log, fateOf(wal))
      return Effect.succeed({ main, wal })
    })

    const check = (connection: Connection, always: boolean): Effect.Effect<void, StoreError | SqlError> =>
      Effect.gen(function* () {
        const { main, wal } = yield* sameFiles
        if (!always && FileState.isSame(main, state.main) && FileState.isSame(wal, state.log)) return
        const sizeBefore = state.main?.size ?? 0
        if ((always || main.size !== sizeBefore) && (yield* isTruncated(connection, path, sizeBefore)))
          return yield* truncated(path)
        if ((always || (wal?.size ?? 0) < (state.log?.size ?? 0)) && (yield* isLogTruncated(connection, log)))
          return yield* wal === undefined ? logLost(log, "deleted") : logTruncated(log)
        const now = yield* inspect(connection)
        if (isWal) yield* assess(connection, now)
        else state = now
      }).pipe(orStoreFailure)

    // The write lock is held now, so a transaction since the check would show in the WAL.
    const begin: Guard["begin"] = (connection) =>
      Effect.suspend(() =>
        state.generation !== undefined &&
        state.checkpointed >= state.frames &&
        FileState.isSame(FileState.stat(log), state.log)
          ? Generation.advance(connection, state.generation)
          : Effect.void
      )

    let transactions = 0
    const confirm: Guard["confirm"] = (connection) =>
      Effect.suspend(() => {
        transactions += 1
        if (isWal && !FileState.isSame(FileState.stat(path), state.main)) return Effect.succeed(false)
        if (isWal && state.header !== undefined && state.checkpointed < state.frames) {
          state = { ...state, log: FileState.stat(log) }
          return Effect.succeed(true)
        }
        // The first transaction in a WAL determines what a later checkpoint looks like.
        return Effect.match(inspect(connection), {
          onFailure: () => true,
          onSuccess: (now) => {
            const isSame = !isWal || FileState.isSame(now.main, state.main)
            if (isSame) state = now
            return isSame
          }
        })
      }).pipe(Effect.catchAllDefect(() => Effect.succeed(false)))

    const checkpointFrom = (leastFrames: number) =>
      session.reserve((connection) =>
        Effect.gen(function* () {
          transactions = 0
          const { checkpointed, frames } = yield* countFrames(connection)
          if (frames - checkpointed < leastFrames) return
          yield* check(connection, false)
          yield* checkpointPassively(connection)
          state = yield* inspect(connection)
        }).pipe(orStoreFailure)
      )
    const checkpointNow = checkpointFrom(checkpointFrames)
    // This checkpoints the writes of the opening and the WAL that a crash left, so that from here on each WAL has a separate generation.
    if (isGuarded) yield* Effect.ignoreLogged(checkpointFrom(1))
    const checkpoint = Effect.suspend(() =>
      isGuarded && transactions >= checkpointCheckInterval && (state.log?.size ?? 0) >= checkpointBytes
        ? Effect.ignoreLogged(checkpointNow)
        : Effect.void
    )

    let damage: StoreError | undefined
    const checkIntegrity = Effect.catchAll(IntegrityCheck.refuseInChildProcess(path), (error) => {
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
    const checkAndCheckpoint = checkNow.pipe(
      Effect.zipRight(isGuarded ? checkpointNow : Effect.void),
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
      effect.pipe(Effect.annotateLogs({ module: "charlotte/RunStore" }), background.fork)
    const pause = Effect.suspend(() => sleep(suspectSince === undefined ? checkInterval : suspectCheckInterval))
    const uses = { producers: 0, managers: 0 }
    const use = (by: keyof typeof uses) =>
      Effect.acquireRelease(
        Effect.sync(() => void (uses[by] += 1)),
        () => Effect.sync(() => void (uses[by] -= 1))
      )
    // An idle producer makes no query: what it writes next is checked then.
    const watch = Effect.suspend(() => (uses.producers > 0 && uses.managers === 0 ? Effect.void : checkAndCheckpoint))
    yield* inBackground(Effect.forever(Effect.zipRight(pause, watch)))
    if (isWritable && IntegrityCheck.isLarge(path)) yield* inBackground(checkIntegrity)

    return {
      check: (connection) => Effect.suspend(() => damage ?? check(connection, false)),
      present: orStoreFailure(Effect.suspend(() => damage ?? Effect.asVoid(sameFiles))),
      begin,
      confirm,
      checkpoint,
      rest: use("producers"),
      attend: use("managers")
    }
  })

// Each error says which files to restore or to move away.

const replaced = (sentence: string) =>
  new StoreError({ operation: "use the database", reason: "replaced", cause: new Error(sentence) })

const corrupt = (sentence: string) =>
  new StoreError({ operation: "use the database", reason: "corrupt", cause: new Error(sentence) })

const fateOf = (found: object | undefined) => (found === undefined ? "deleted" : "replaced")

/** The remedy for a leftover WAL, which would be applied to the next database that is opened at this path. */
const leftovers = (path: string) => `move away ${path}-wal and ${path}-shm, which belong to the previous database`

const lost = (path: string, fate: "deleted" | "replaced") =>
  replaced(`${path} was ${fate} while it was open; restore the original file and restart, or ${leftovers(path)}`)

const logLost = (log: string, fate: "deleted" | "replaced") =>
  replaced(`${log} was ${fate} while it was open; restore the original file and restart`)

const replacedInPlace = (path: string) =>
  replaced(
    `${path} was replaced while it was open: another file was copied over it. Nothing more is recorded; ${leftovers(path)}, and restart`
  )

const truncated = (path: string) =>
  corrupt(`${path} was truncated while it was open; ${leftovers(path)}, then restore it from a backup and restart`)

const logTruncated = (log: string) =>
  corrupt(`${log} was truncated while it was open; restore it from a backup and restart`)
