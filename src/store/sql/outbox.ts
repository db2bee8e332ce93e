/**
 * Statements on the runs that transactions of the application have inserted, and that have no event yet.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema, Struct } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { NewlyWaiting } from "../port/ChangeNotifier.js"
import type { AcceptedEvent, NewRun } from "../port/RunStoreService.js"
import { createdEvent } from "../rules/RunTransition.js"
import { Row } from "./runRow.js"
import * as senders from "./senders.js"
import { columnsOf, nullable, query } from "./statements.js"

const selectIds = query(Schema.Struct({ id: JobId }))

/** At most 1,000 ids, so that no transaction is long. */
export const ids = (connection: Connection, kind: string): Effect.Effect<ReadonlyArray<JobId>, SqlError> =>
  Effect.map(
    selectIds(connection, "SELECT id FROM charlotte_runs WHERE kind = ? AND outbox = 1 ORDER BY id LIMIT 1000", [kind]),
    (rows) => rows.map(({ id }) => id)
  )

const TakenRow = Schema.Struct({
  ...Struct.pick(Row.fields, "id", "kind", "grp", "priority", "key", "created_at", "start_at", "waits_for", "retry_of"),
  start_key: nullable(Schema.String),
  sender: senders.Column
})

const takeRows = query(TakenRow)

/** A run that is taken out of the outbox. */
interface Taken {
  readonly jobId: JobId
  /** The first event of the run. */
  readonly event: AcceptedEvent
  readonly waiting: NewlyWaiting
  readonly group: string | undefined
  readonly keys: Pick<NewRun, "key" | "startKey">
}

export const take = (
  connection: Connection,
  ids: ReadonlyArray<JobId>
): Effect.Effect<ReadonlyArray<Taken>, SqlError> =>
  Effect.map(
    takeRows(
      connection,
      `UPDATE charlotte_runs SET outbox = 0 WHERE id IN (SELECT value FROM ${connection.dialect.strings} ids) AND outbox = 1
       RETURNING ${columnsOf(TakenRow)}`,
      [JSON.stringify(ids)]
    ),
    (rows) =>
      rows.map(
        ({ created_at: at, grp, id: jobId, key, kind, priority, retry_of, sender, start_at, start_key, waits_for }) => {
          const waitsFor = waits_for ?? undefined
          const created = { at, priority, startAt: start_at ?? undefined }
          const event = createdEvent(
            { ...created, retryOf: retry_of ?? undefined, sender: sender ?? undefined },
            { waitsFor }
          )
          return {
            jobId,
            event,
            waiting: { kind, waitsFor },
            group: grp ?? undefined,
            keys: { key: key ?? undefined, startKey: start_key ?? undefined }
          }
        }
      )
  )
