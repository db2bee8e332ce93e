/**
 * The group-commit writer. The writes that queue up during one transaction share the next, since each commit waits for an
 * fsync, and each write is acknowledged after its commit.
 */
import type { Connection, Lane } from "./Dialect.js"
import { SqlError } from "@effect/sql/SqlError"
import { Cause, Effect, Either, Exit, Option, type Scope } from "effect"
import { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTemporary, retryTimeout, retryWhileBusy } from "./busyRetry.js"
import * as background from "../../internal/background.js"
import { Failpoint } from "../../internal/Failpoint.js"
import { isLockTimeout, storeError } from "./mapSqlError.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Guard } from "./Guard.js"
import * as Batch from "./Batch.js"
import type { Session } from "./Session.js"

export interface Writer {
  /**
   * Runs `body` in a transaction and returns after the commit. A typed failure of the body rejects only this write, so a body
   * must check before it writes. The write is uninterruptible, so that the caller always learns the outcome.
   */
  readonly write: <A, E>(write: Write<A, E>) => Effect.Effect<A, E | StoreError>
  /** Milliseconds since the oldest waiting write was first tried; 0 if none waits. */
  readonly age: Effect.Effect<number>
}

export interface Write<A, E> {
  readonly operation: string
  /** Number of rows; once a batch is large enough, it takes no more writes of the slow lane. */
  readonly weight?: number
  /** Emitted events use the slow lane, so that state changes never wait behind them. */
  readonly lane: "fast" | "slow"
  /** The job whose head the body reads. */
  readonly about?: JobId
  /** The group whose jobs the body counts. */
  readonly of?: Batch.GroupOf
  /** If each lane has a writer, this write shares its transaction with no other, since it may wait for a transaction of an application. */
  readonly isAlone?: boolean
  /** A body that returns an `Exit` costs no fiber operation. */
  readonly body: (batch: Batch.Batch) => Effect.Effect<A, E | SqlError>
}

interface Queued {
  readonly operation: string
  readonly weight: number
  readonly about: JobId | undefined
  readonly of: Batch.GroupOf | undefined
  readonly lane: Write<unknown, unknown>["lane"]
  readonly isAlone: boolean
  /** When the write was first tried, if it is retried behind the others. */
  since?: number
  /** Runs the body and returns whether the transaction may continue. Fails if the same transaction may succeed in a moment. */
  readonly run: (batch: Batch.Batch) => boolean | Effect.Effect<boolean, SqlError>
  /** Completes the caller with the result of the body. */
  readonly acknowledge: () => void
  readonly refuse: (cause: unknown) => void
}

interface Committed {
  readonly news: Batch.News
  readonly isDoubtful: boolean
}

/** All writes are rolled back, since one of them failed, or has waited for a lock for too long. */
interface RolledBack {
  /** The write that has waited, if it is known. */
  readonly blocked?: { readonly queued: Queued; readonly error: SqlError }
}

const noNews: Batch.News = {
  jobs: new Set(),
  waits: [],
  submitted: new Set(),
  released: [],
  regrouped: new Set()
}

/** Rows of the slow lane per transaction, which bounds its duration. */
const maxSlowRows = 4_096

export const make = (options: {
  readonly session: Session
  readonly notifier: ChangeNotifier
  /** Fails when the database files can no longer be trusted. */
  readonly guard: Guard
  readonly lane: Lane
  /** Called after the commit with the keys to hand on in another transaction. */
  readonly onReleased: (released: ReadonlyArray<Batch.Released>) => Effect.Effect<void>
  /** Called after the commit with the kinds whose groups to settle in another transaction. */
  readonly onRegrouped: (kinds: ReadonlySet<string>) => Effect.Effect<void>
}): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { guard, lane: ownLane, notifier, onRegrouped, onReleased, session } = options
    const clock = yield* RealClock
    const failpoint = yield* Failpoint
    const lanes: { readonly fast: Array<Queued>; readonly slow: Array<Queued> } = { fast: [], slow: [] }
    let closedAt: number | undefined
    /** When the current writes were first tried. */
    let busySince: number | undefined
    let wake = (): void => {}

    const isEmpty = () => lanes.fast.length + lanes.slow.length === 0

    const arrival = Effect.async<void>((resume) => {
      if (!isEmpty()) return resume(Effect.void)
      wake = () => resume(Effect.void)
    })

    const take = (): ReadonlyArray<Queued> => {
      if (ownLane === "admission") {
        const alone = lanes.fast.findIndex(({ isAlone }) => isAlone)
        return lanes.fast.splice(0, alone === -1 ? Infinity : Math.max(alone, 1))
      }
      let weight = 0
      const slow = lanes.slow.findIndex((queued) => (weight += queued.weight) > maxSlowRows)
      return [...lanes.fast.splice(0), ...lanes.slow.splice(0, slow === -1 ? Infinity : Math.max(slow, 1))]
    }

    /** Runs all writes. Returns the notifications to send after the commit, unless the transaction has to be rolled back. */
    const writeAll = (
      connection: Connection,
      writes: ReadonlyArray<Queued>
    ): Effect.Effect<Either.Either<Batch.News, RolledBack>, SqlError> =>
      Effect.gen(function* () {
        const jobIds = new Set<JobId>()
        for (const { about } of writes) if (about !== undefined) jobIds.add(about)
        const batch = yield* Batch.make(
          connection,
          [...jobIds],
          writes.flatMap(({ of }) => of ?? [])
        )
        for (const queued of writes) {
          const ran = queued.run(batch)
          const outcome = typeof ran === "boolean" ? ran : yield* Effect.catchIf(ran, isLockTimeout, Effect.succeed)
          if (outcome !== true) return Either.left(outcome === false ? {} : { blocked: { queued, error: outcome } })
        }
        yield* batch.flush
        return Either.right(batch.news)
      })

    /** Commits all writes, or rolls all back. `isDoubtful`: committed, but possibly to a replaced file. */
    const commit = (
      writes: ReadonlyArray<Queued>
    ): Effect.Effect<Either.Either<Committed, RolledBack>, SqlError | StoreError> =>
      session.reserve((connection) =>
        Effect.gen(function* () {
          yield* guard.check(connection)
          const commitNow = yield* connection.dialect.begin(connection, ownLane)
          const written = yield* Effect.exit(Effect.zipRight(guard.begin(connection), writeAll(connection, writes)))
          if (Exit.isFailure(written)) {
            yield* connection.dialect.rollback(connection)
            const isRefused = writes.length === 1 || isRetried(Cause.squash(written.cause))
            return isRefused ? yield* Effect.failCause(written.cause) : Either.left({})
          }
          if (Either.isLeft(written.value)) {
            yield* connection.dialect.rollback(connection)
            return Either.left(written.value.left)
          }
          const points = () => writes.map(({ operation }) => `commit ${operation}`)
          yield* Effect.tapErrorCause(failpoint.around(points, commitNow), () =>
            connection.dialect.rollback(connection)
          )
          const isDoubtful = !(yield* guard.confirm(connection))
          return Either.right({ news: written.value.right, isDoubtful })
        })
      )

    /** Retries only the check, since the writes are committed. */
    const confirm = (outcome: Either.Either<Committed, RolledBack>) =>
      Either.isRight(outcome) && outcome.right.isDoubtful ? retryWhileBusy(session.reserve(guard.check)) : Effect.void

    const settle = (
      writes: ReadonlyArray<Queued>,
      { jobs, regrouped, released, submitted, waits }: Batch.News
    ): Effect.Effect<void> =>
      Effect.gen(function* () {
        // Waiters are notified before the acknowledgements, so that a caller that has queued a run finds that one waits.
        yield* notifier.wakeWaiting(waits)
        for (const kind of submitted) yield* notifier.committed(kind).wake
        for (const queued of writes) queued.acknowledge()
        // Subscribers wake later, or one could see a job before its caller knows the id.
        if (jobs.size > 0) yield* notifier.wake(jobs)
        if (released.length > 0) yield* onReleased(released)
        if (regrouped.size > 0) yield* onRegrouped(regrouped)
      })

    /** Retries a write that has waited for a lock behind the others, which need not wait for the same one. */
    const refuseOrDefer = (queued: Queued, error: unknown, since: number): Effect.Effect<void> =>
      Effect.map(clock.now, (now) => {
        queued.since ??= since
        if (isLockTimeout(error) && now - queued.since < retryTimeout) lanes[queued.lane].push(queued)
        else queued.refuse(error)
      })

    /** Lets writes that have not been tried come next, together. */
    const putBack = (writes: ReadonlyArray<Queued>): void => {
      for (const lane of ["fast", "slow"] as const) {
        lanes[lane].unshift(...writes.filter((queued) => queued.lane === lane))
      }
    }

    /**
     * A failing write rolls back the shared transaction; each write is then retried in a separate one, and only the failing write is
     * rejected. If it has waited for a lock, the others stay together: in a cluster they need the lock of the same kind, and a transaction
     * for each of them would keep all nodes waiting.
     */
    const process = (writes: ReadonlyArray<Queued>, since: number): Effect.Effect<void> =>
      Effect.matchCauseEffect(Effect.tap(retryWhileBusy(commit(writes), since, isRetried), confirm), {
        onFailure: (cause) =>
          Effect.forEach(writes, (queued) => refuseOrDefer(queued, Cause.squash(cause), since), { discard: true }),
        onSuccess: Either.match({
          onRight: ({ news }) => settle(writes, news),
          onLeft: ({ blocked }) => {
            if (blocked !== undefined) {
              putBack(writes.filter((queued) => queued !== blocked.queued))
              return refuseOrDefer(blocked.queued, blocked.error, since)
            }
            return writes.length === 1
              ? settle(writes, noNews)
              : Effect.forEach(writes, (queued) => Effect.zipRight(clock.turn, process([queued], since)), {
                  discard: true
                })
          }
        })
      })

    const drain = Effect.gen(function* () {
      while (!isEmpty()) {
        // One turn of the event loop lets more writes join the batch, and other fibers run between two transactions.
        yield* clock.turn
        const now = yield* clock.now
        const writes = take()
        busySince = now
        yield* process(writes, closedAt ?? now)
        yield* guard.checkpoint
      }
      busySince = undefined
    })

    // The loop is interruptible only while it waits, when the queue is empty.
    const loop = Effect.forever(Effect.zipRight(Effect.interruptible(arrival), Effect.uninterruptible(drain)))

    // The fiber does not yield between BEGIN and COMMIT, while the lock is held.
    yield* background.fork(Effect.withMaxOpsBeforeYield(loop, Number.MAX_SAFE_INTEGER))

    const drained: Effect.Effect<void> = Effect.suspend(() =>
      isEmpty() && busySince === undefined ? Effect.void : Effect.zipRight(clock.sleep(1), drained)
    )

    // Finalizers run in reverse order, so queued writes are drained before the writer fiber is interrupted. `closedAt` limits
    // the wait for a lock to one timeout for the whole queue.
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(clock.now, (now) => {
        closedAt = now
        return drained
      })
    )

    return {
      age: Effect.map(clock.now, (now) => {
        const all = [busySince, ...[...lanes.fast, ...lanes.slow].map(({ since }) => since)]
        return Math.max(0, ...all.map((since) => (since === undefined ? 0 : now - since)))
      }),
      write: <A, E>({ about, body, isAlone = false, lane, of, operation, weight = 1 }: Write<A, E>) =>
        Effect.zipRight(
          session.outsideTransaction,
          Effect.async<A, E | StoreError>((resume) => {
            if (closedAt !== undefined) {
              const cause = new Error("the store is closed")
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
              of,
              lane,
              isAlone,
              run: (batch) => {
                const inspect = (result: Exit.Exit<A, E | SqlError>) => {
                  exit = result
                  return Exit.isSuccess(result) || isRefusal(result.cause)
                }
                const outcome = attempt(() => body(batch))
                return isExit(outcome)
                  ? inspect(outcome)
                  : Effect.flatMap(Effect.exit(outcome), (result) =>
                      Option.getOrElse(temporaryFailure(result), () => Effect.succeed(inspect(result)))
                    )
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

/** Whether to retry in place; a write that has waited for a lock is retried behind the others. */
const isRetried = (error: unknown): boolean => isTemporary(error) && !isLockTimeout(error)

const isExit = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Exit<A, E> => Exit.isExit(effect)

const attempt = <A, E>(body: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  try {
    return body()
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** Whether the body refused without writing: a typed failure means that; any other failure requires a rollback. */
const isRefusal = (cause: Cause.Cause<unknown>): boolean =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => false,
    onSome: (error) => !(error instanceof SqlError)
  })

/** A failure that may pass, such as a deadlock: PostgreSQL locks rows one by one, and aborts one of two transactions in a cycle. */
const temporaryFailure = (exit: Exit.Exit<unknown, unknown>): Option.Option<SqlError> =>
  Exit.isSuccess(exit)
    ? Option.none()
    : Option.filter(
        Cause.failureOption(exit.cause),
        (error): error is SqlError => error instanceof SqlError && isTemporary(error)
      )
