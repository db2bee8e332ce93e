/**
 * The outbox in a database.
 */
import type { Connection } from "./Dialect.js"
import { SqlError } from "@effect/sql/SqlError"
import { type DateTime, Effect } from "effect"
import { type IdempotencyKeyReused, type JobConflict, type QueueFull, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { RealClock } from "../../internal/RealClock.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import { admitRun } from "../rules/admitRun.js"
import type { NewRun, Outbox } from "../port/RunStoreService.js"
import type { Guard } from "./Guard.js"
import * as groups from "./groups.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import { lookup } from "./lookup.js"
import { storeError } from "./mapSqlError.js"
import * as outbox from "./outbox.js"
import * as runs from "./runs.js"
import * as keys from "./keys.js"
import type { Lanes } from "./Lanes.js"
import type { Session } from "./Session.js"

/** Milliseconds between two searches for keys that were not handed on. */
const sweepInterval = 5_000

/** How often another transaction may take a key between the decision and the insert. */
const maxTries = 3

const insert = (
  connection: Connection,
  run: NewRun,
  tries = 1
): Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | StoreError | SqlError> =>
  Effect.gen(function* () {
    const decision = yield* admitRun({ ...run, isQueued: true }, lookup(Effect.succeed(connection)))
    if (decision._tag === "Existing") return (yield* idempotencyKeys.answer(connection, run.kind, decision)).id
    const row = runs.newRow(run, decision.state, { isInOutbox: true, retry: decision.retry })
    if (yield* connection.dialect.insertOutbox(connection, row)) return run.id
    // Another transaction has committed one of its keys; a retry finds it.
    if (tries < maxTries) return yield* insert(connection, run, tries + 1)
    const cause = new Error("other transactions take its keys at the same time; try again")
    return yield* new StoreError({ operation: "start a job", reason: "busy", cause })
  })

export const make = ({
  application,
  committed,
  guard,
  handOn,
  isShared,
  now,
  queueCommitted,
  regroup,
  session
}: {
  readonly isShared: boolean
  readonly now: Effect.Effect<DateTime.Utc>
  /** The session on the client of the application. */
  readonly application: Session
  /** The session of the store, which may be the same. */
  readonly session: Session
  readonly guard: Guard
  readonly handOn: Lanes["handOn"]
  readonly regroup: Lanes["regroup"]
  readonly queueCommitted: Outbox["queue"]
  readonly committed: ChangeNotifier["committed"]
}): Outbox => {
  const sweptAt = new Map<string, number>()

  /** Hands on keys, and settles groups, that a process has left before it could do so after its commit. */
  const sweep = (kind: string) =>
    Effect.gen(function* () {
      const { now: realNow } = yield* RealClock
      const time = yield* realNow
      const last = sweptAt.get(kind)
      if (last !== undefined && time - last < sweepInterval) return
      sweptAt.set(kind, time)
      const left = yield* session.read("read keys", (connection) => keys.left(connection, kind))
      const at = yield* now
      yield* handOn(left.map((key) => ({ key, at })))
      if (yield* session.read("read groups", (connection) => groups.hasMarked(connection, kind))) {
        yield* regroup(new Set([kind]))
      }
    })

  return {
    isShared,
    committed,
    byTransaction: application.byTransaction,
    transaction: (effect) => Effect.zipRight(guard.present, application.transaction(effect)),

    insert: (run) =>
      Effect.zipRight(
        guard.present,
        Effect.mapError(
          application.join((connection) => Effect.zipLeft(insert(connection, run), committed(run.kind).wake)),
          (error) => (error instanceof SqlError ? storeError("start a job")(error) : error)
        )
      ),

    queue: (kind) =>
      Effect.gen(function* () {
        yield* application.afterTransactions
        if (session.dialect.isConcurrent) yield* sweep(kind)
        const committed = yield* session.read("read the outbox", (connection) => outbox.ids(connection, kind))
        return committed.length === 0 ? 0 : yield* queueCommitted(kind)
      }).pipe(Effect.mapError((error): StoreError => storeError("queue jobs")(error)))
  }
}
