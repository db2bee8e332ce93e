/**
 * The group-commit writer. A commit waits for the disk, so the writes of many fibers share one: whatever has queued up while
 * the last transaction was on its way goes into the next, and each write is acknowledged after the commit that holds it.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { Cause, Effect, Exit, Option, type Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { retryWhileBusy } from "./busyRetry.js"
import { Failpoint } from "../../internal/Failpoint.js"
import { reasonOf, storeError } from "./mapSqlError.js"
import type { ChangeNotifier } from "../ChangeNotifier.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Guard } from "./DatabaseFileGuard.js"
import * as Batch from "./Batch.js"
import { execute, type Session } from "./Session.js"

export interface Writer {
  /**
   * Runs `body` in a transaction and returns when that is committed. A typed failure of the body refuses this write alone,
   * so a body looks before it writes anything. It is not interruptible: its caller always learns what became of it.
   */
  readonly write: <A, E>(write: Write<A, E>) => Effect.Effect<A, E | StoreError>
}

export interface Write<A, E> {
  readonly operation: string
  /** How many rows; a batch takes no more of a slow lane once it is large enough. */
  readonly weight?: number
  /** What orchestrators emit waits in the slow lane, so that changes of state never wait behind it. */
  readonly lane: "fast" | "slow"
  /** The job whose head the body asks for. */
  readonly about?: JobId
  /** Whoever follows this job is woken after the commit. */
  readonly wakes?: JobId
  /** One that has its answer at once, as an `Exit`, costs no operation of the fiber. */
  readonly body: (batch: Batch.Batch) => Effect.Effect<A, E | SqlError>
}

interface Queued {
  readonly operation: string
  readonly weight: number
  readonly about: JobId | undefined
  readonly wakes: JobId | undefined
  readonly committed: () => boolean
  /** Runs the body and tells whether the transaction can go on. */
  readonly run: (batch: Batch.Batch) => boolean | Effect.Effect<boolean>
  /** Answers the caller with what the body came to. */
  readonly acknowledge: () => void
  readonly refuse: (cause: unknown) => void
}

/** Rows of the slow lane in one transaction: some tens of milliseconds at the most. */
const largeBatch = 4_096

export const make = (options: {
  readonly session: Session
  readonly signals: ChangeNotifier
  /** Fails when the database can no longer be trusted with a write. */
  readonly guard: Guard
}): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { guard, session, signals } = options
    const clock = yield* RealClock
    const failpoint = yield* Failpoint
    const lanes: { readonly fast: Array<Queued>; readonly slow: Array<Queued> } = { fast: [], slow: [] }
    let closedAt: number | undefined
    let busy = false
    let wake = (): void => {}

    const isEmpty = () => lanes.fast.length + lanes.slow.length === 0

    const arrival = Effect.async<void>((resume) => {
      if (!isEmpty()) return resume(Effect.void)
      wake = () => resume(Effect.void)
    })

    const take = (): ReadonlyArray<Queued> => {
      let weight = 0
      const slow = lanes.slow.findIndex((queued) => (weight += queued.weight) > largeBatch)
      return [...lanes.fast.splice(0), ...lanes.slow.splice(0, slow === -1 ? Infinity : Math.max(slow, 1))]
    }

    /** Tells whether the transaction can be committed. */
    const writeAll = (connection: Connection, writes: ReadonlyArray<Queued>): Effect.Effect<boolean, SqlError> =>
      Effect.gen(function* () {
        const jobIds = new Set<JobId>()
        for (const { about } of writes) if (about !== undefined) jobIds.add(about)
        const batch = yield* Batch.make(connection, [...jobIds])
        for (const queued of writes) {
          const goesOn = queued.run(batch)
          if (!(typeof goesOn === "boolean" ? goesOn : yield* goesOn)) return false
        }
        yield* batch.flush
        return true
      })

    /** Commits the writes, or nothing of them. `doubtful`: into files that may not be those of the database any more. */
    const commit = (
      writes: ReadonlyArray<Queued>
    ): Effect.Effect<"committed" | "doubtful" | "spoiled", SqlError | StoreError> =>
      session.reserve((connection) =>
        Effect.gen(function* () {
          yield* guard.check(connection)
          yield* begin(connection)
          const written = yield* Effect.exit(Effect.zipRight(guard.begin(connection), writeAll(connection, writes)))
          if (Exit.isFailure(written) || !written.value) {
            yield* rollback(connection)
            if (Exit.isFailure(written) && writes.length === 1) return yield* Effect.failCause(written.cause)
            return "spoiled"
          }
          const points = () => writes.map(({ operation }) => `commit ${operation}`)
          yield* Effect.tapErrorCause(failpoint.around(points, execute(connection, "COMMIT")), () =>
            rollback(connection)
          )
          return (yield* guard.confirm(connection)) ? "committed" : "doubtful"
        })
      )

    /** Only the check is tried again: the writes are in the log. */
    const confirmed = (outcome: "committed" | "doubtful" | "spoiled") =>
      outcome === "doubtful"
        ? Effect.as(retryWhileBusy(session.reserve(guard.check)), "committed" as const)
        : Effect.succeed(outcome)

    const settle = (writes: ReadonlyArray<Queued>): Effect.Effect<void> =>
      Effect.suspend(() => {
        const changed = new Set<JobId>()
        for (const queued of writes) {
          queued.acknowledge()
          if (queued.wakes !== undefined && queued.committed()) changed.add(queued.wakes)
        }
        // After the acknowledgements, or a watcher would see a job that its starter does not know yet.
        return changed.size === 0 ? Effect.void : signals.wake(changed)
      })

    /** One write that cannot be made spoils the transaction of all: then each gets its own, and it fails alone. */
    const process = (writes: ReadonlyArray<Queued>, since: number): Effect.Effect<void> =>
      Effect.matchCauseEffect(Effect.flatMap(retryWhileBusy(commit(writes), since), confirmed), {
        onFailure: (cause) =>
          Effect.sync(() => {
            for (const queued of writes) queued.refuse(Cause.squash(cause))
          }),
        onSuccess: (outcome) =>
          outcome === "committed" || writes.length === 1
            ? settle(writes)
            : Effect.forEach(writes, (queued) => Effect.zipRight(clock.turn, process([queued], since)), {
                discard: true
              })
      })

    const round = Effect.gen(function* () {
      busy = true
      while (!isEmpty()) {
        // One turn of the event loop: others that are ready to write join, and everybody gets on between two transactions.
        yield* clock.turn
        yield* process(take(), closedAt ?? (yield* clock.now))
        yield* guard.checkpoint
      }
      busy = false
    })

    // Only the wait may be interrupted: nothing is queued then.
    const loop = Effect.forever(Effect.zipRight(Effect.interruptible(arrival), Effect.uninterruptible(round)))

    // No other fiber runs between BEGIN and COMMIT, where the lock is held.
    yield* Effect.forkScoped(Effect.withMaxOpsBeforeYield(loop, Number.MAX_SAFE_INTEGER))

    const drained: Effect.Effect<void> = Effect.suspend(() =>
      isEmpty() && !busy ? Effect.void : Effect.zipRight(clock.sleep(1), drained)
    )

    // Added after the fork, so that it runs before the writer is interrupted: what was accepted is written. A lock that
    // another process holds keeps the end waiting once, not for as many transactions as are queued.
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(clock.now, (now) => {
        closedAt = now
        return drained
      })
    )

    return {
      write: <A, E>({ about, body, lane, operation, wakes, weight = 1 }: Write<A, E>) =>
        Effect.zipRight(
          session.outsideTransaction,
          Effect.async<A, E | StoreError>((resume) => {
            if (closedAt !== undefined) {
              const cause = new Error("the store has been closed")
              return resume(new StoreError({ operation, reason: "closed", cause }))
            }
            let exit: Exit.Exit<A, E | SqlError> | undefined
            const answer = (exit: Exit.Exit<A, E | SqlError>) =>
              resume(
                Exit.isSuccess(exit)
                  ? Effect.succeed(exit.value)
                  : Effect.mapError(exit, (error) => (error instanceof SqlError ? storeError(operation)(error) : error))
              )
            lanes[lane].push({
              operation,
              weight,
              about,
              wakes,
              committed: () => exit !== undefined && Exit.isSuccess(exit),
              run: (batch) => {
                const look = (result: Exit.Exit<A, E | SqlError>) => {
                  exit = result
                  return Exit.isSuccess(result) || isRefusal(result.cause)
                }
                const outcome = attempt(() => body(batch))
                return isExit(outcome) ? look(outcome) : Effect.map(Effect.exit(outcome), look)
              },
              acknowledge: () => {
                if (exit !== undefined) answer(exit)
              },
              refuse: (cause) => resume(Effect.fail(storeError(operation)(cause)))
            })
            wake()
          }).pipe(Effect.uninterruptible)
        )
    }
  })

const isExit = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Exit<A, E> => Exit.isExit(effect)

const attempt = <A, E>(body: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  try {
    return body()
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** A body that failed with an error of its own has looked and not written; anything else leaves the transaction in doubt. */
const isRefusal = (cause: Cause.Cause<unknown>): boolean =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => false,
    onSome: (error) => !(error instanceof SqlError)
  })

/**
 * An application that shares the client may have left its transaction open on the connection, where its COMMIT failed. Nobody
 * uses the connection now: that transaction is over.
 */
const begin = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.catchIf(
    execute(connection, "BEGIN IMMEDIATE"),
    (error) => reasonOf(error) === "other",
    () => Effect.zipRight(rollback(connection), execute(connection, "BEGIN IMMEDIATE"))
  )

/** SQLite may have rolled back by itself; then there is nothing left to do. */
const rollback = (connection: Connection): Effect.Effect<void> => Effect.ignore(execute(connection, "ROLLBACK"))
