/**
 * The outbox in a database.
 */
import type { Connection } from "./sql/Dialect.js"
import { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { StoreError } from "../domain/errors.js"
import { admitRun } from "./admitRun.js"
import type { NewRun, Outbox } from "./RunStoreService.js"
import type { Guard } from "./sql/DatabaseFileGuard.js"
import * as idempotencyKeys from "./sql/idempotencyKeys.js"
import { lookup } from "./sql/lookup.js"
import { storeError } from "./sql/mapSqlError.js"
import * as outbox from "./sql/outbox.js"
import * as runs from "./sql/runs.js"
import type { Session } from "./sql/Session.js"

const insert = (connection: Connection, run: NewRun) =>
  Effect.gen(function* () {
    yield* connection.dialect.lockAdmission(connection, run.kind)
    const decision = yield* admitRun({ ...run, isQueued: true }, lookup(Effect.succeed(connection)))
    if (decision._tag === "Existing") return (yield* idempotencyKeys.answer(connection, run.kind, decision)).id
    yield* runs.insert(connection, [runs.newRow(run, decision.state, { isInOutbox: true })])
    return run.id
  })

export const make = ({
  application,
  committed,
  guard,
  isShared,
  queueCommitted,
  session
}: {
  readonly isShared: boolean
  /** On the client of the application. */
  readonly application: Session
  /** The store's own, which may be the same. */
  readonly session: Session
  readonly guard: Guard
  readonly queueCommitted: Outbox["queue"]
  readonly committed: Outbox["committed"]
}): Outbox => ({
  isShared,
  committed,
  byTransaction: application.byTransaction,

  insert: (run) =>
    Effect.zipRight(
      guard.present,
      Effect.mapError(
        application.join((connection) => insert(connection, run)),
        (error) => (error instanceof SqlError ? storeError("start a job")(error) : error)
      )
    ),

  queue: (kind) =>
    Effect.gen(function* () {
      yield* application.afterTransactions
      const committed = yield* session.read("read the outbox", (connection) => outbox.ids(connection, kind))
      return committed.length === 0 ? 0 : yield* queueCommitted(kind)
    }).pipe(Effect.mapError((error): StoreError => storeError("queue jobs")(error)))
})
