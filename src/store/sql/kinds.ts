/**
 * The pauses of kinds. On one machine, what decides is the memory of the store, in the transaction that begins an attempt: only the
 * manager of the kind begins attempts, so no statement has to read it. The nodes of a cluster read the row, under the lock of the kind.
 */
import { DateTime, Effect, Exit, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { PausedKind } from "../../domain/Run.js"
import * as Permits from "../../internal/Permits.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { KindStore } from "../port/RunStoreService.js"
import type { Lanes } from "./Lanes.js"
import type { Session } from "./Session.js"
import { columnsOf, execute, nullable, query } from "./statements.js"

const Row = Schema.Struct({
  kind: Schema.String,
  paused_at: Schema.DateTimeUtcFromNumber,
  paused_by: nullable(Schema.String)
})

const select = query(Row)

export interface Kinds {
  readonly store: KindStore
  /** Whether no attempt of a kind begins on this machine. */
  readonly isPaused: (kind: string) => boolean
}

export const make = ({
  lanes: { admit, write },
  notifier,
  session
}: {
  readonly session: Session
  readonly lanes: Pick<Lanes, "admit" | "write">
  readonly notifier: ChangeNotifier
}): Kinds => {
  const paused = new Set<string>()
  const isPaused = (kind: string) => paused.has(kind)
  /** One after the other, so that the memory follows the rows. */
  const inTurn = Permits.make(1)

  const release = (kind: string) =>
    Effect.suspend(() => {
      paused.delete(kind)
      return notifier.wakeWaiting([{ kind, waitsFor: "permit" }])
    })

  /** Runs a statement in the lane of the writes that begin attempts, under the lock of the kind. */
  const change = (
    operation: string,
    kind: string,
    [sql, ...params]: readonly [sql: string, ...params: ReadonlyArray<string | number | null>]
  ): Effect.Effect<void, StoreError> =>
    admit<void, never>({
      operation,
      lane: "fast",
      body: (batch) =>
        Effect.gen(function* () {
          const connection = yield* batch.connection
          yield* batch.lockAdmission(kind)
          yield* execute(connection, sql, params)
        })
    })

  return {
    isPaused,
    store: {
      paused: session.read("read pauses", (connection) =>
        Effect.map(select(connection, `SELECT ${columnsOf(Row)} FROM charlotte_pauses ORDER BY kind`, []), (rows) =>
          rows.map(
            ({ kind, paused_at: at, paused_by: by }) =>
              new PausedKind({ kind, at, ...(by === null ? {} : { by }) }, { disableValidation: true })
          )
        )
      ),

      pause: ({ at, by, kind }) =>
        Effect.suspend(() => {
          const undo = isPaused(kind) ? Effect.void : release(kind)
          // Before the commit, so that no transaction after it begins an attempt; those before it have committed by then.
          paused.add(kind)
          return change("pause a kind", kind, [
            "INSERT INTO charlotte_pauses (kind, paused_at, paused_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            kind,
            DateTime.toEpochMillis(at),
            by ?? null
          ]).pipe(
            Effect.onError(() => undo),
            // New runs may be committed in the other lane: its next transaction follows those that had begun.
            Effect.zipRight(
              session.dialect.isConcurrent
                ? write<void, never>({ operation: "pause a kind", lane: "fast", body: () => Exit.void })
                : Effect.void
            )
          )
        }).pipe(Effect.uninterruptible, inTurn),

      unpause: (kind) =>
        Effect.zipRight(
          change("unpause a kind", kind, ["DELETE FROM charlotte_pauses WHERE kind = ?", kind]),
          release(kind)
        ).pipe(Effect.uninterruptible, inTurn),

      recall: (kind) =>
        Effect.map(
          session.read("read pauses", (connection) =>
            select(connection, `SELECT ${columnsOf(Row)} FROM charlotte_pauses WHERE kind = ?`, [kind])
          ),
          (rows) => {
            if (rows.length === 0) paused.delete(kind)
            else paused.add(kind)
          }
        ),

      isPaused: (kind) => Effect.sync(() => isPaused(kind))
    }
  }
}
