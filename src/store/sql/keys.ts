/**
 * Keys of runs: at most one job holds a key, and the others wait behind it in the order of their ids. A run that waits for
 * one of its two keys holds neither, so that no two runs wait for each other.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { keysOf } from "../admitRun.js"
import type { Holder, Key } from "../RunStoreService.js"
import { waitingSince } from "../RunTransition.js"
import type { Batch } from "./Batch.js"
import { execute, query } from "./Session.js"

const column = { key: "key", startKey: "start_key" } as const

const selectHolders = query(Schema.Struct({ id: JobId, status: RunStatus }))

const first = (
  connection: Connection,
  { key, kind, of }: Key,
  where: string
): Effect.Effect<Option.Option<Holder>, SqlError> =>
  Effect.map(
    selectHolders(
      connection,
      `SELECT id, status FROM charlotte_runs WHERE kind = ? AND ${column[of]} = ? AND ${where} LIMIT 1`,
      [kind, key]
    ),
    ([row]) => Option.fromNullable(row)
  )

const owner = (connection: Connection, key: Key) =>
  first(connection, key, "ended_at IS NULL AND waits_for IS NOT 'key'")

const firstWaiter = (connection: Connection, key: Key) => first(connection, key, "waits_for = 'key' ORDER BY id")

/** The job that holds a key, or the first that waits for it. */
export const holder = (connection: Connection, key: Key): Effect.Effect<Option.Option<Holder>, SqlError> =>
  Effect.flatMap(owner(connection, key), (found) =>
    Option.isSome(found) ? Effect.succeed(found) : firstWaiter(connection, key)
  )

/** The runs that wait for a key in order to replace its holder. */
export const replacing = (connection: Connection, { key, kind, of }: Key) =>
  selectHolders(
    connection,
    `SELECT id, status FROM charlotte_runs WHERE kind = ? AND ${column[of]} = ? AND waits_for = 'key' AND replaces = 1
     ORDER BY id`,
    [kind, key]
  )

const selectKeys = query(
  Schema.Struct({
    kind: Schema.String,
    key: Schema.NullOr(Schema.String),
    start_key: Schema.NullOr(Schema.String),
    start_at: Schema.NullOr(Schema.DateTimeUtcFromNumber)
  })
)

const runWithKeys = (connection: Connection, id: JobId) =>
  Effect.map(
    selectKeys(connection, "SELECT kind, key, start_key, start_at FROM charlotte_runs WHERE id = ?", [id]),
    ([row]) => ({
      keys:
        row === undefined
          ? []
          : keysOf({ kind: row.kind, key: row.key ?? undefined, startKey: row.start_key ?? undefined }),
      startAt: row?.start_at ?? undefined
    })
  )

/** Whether a run that waits may have all of its keys: none is held, and it is the first that waits for each. */
const mayHold = (connection: Connection, id: JobId, keys: ReadonlyArray<Key>) =>
  Effect.every(keys, (key) =>
    Effect.gen(function* () {
      if (Option.isSome(yield* owner(connection, key))) return false
      return Option.exists(yield* firstWaiter(connection, key), (waiter) => waiter.id === id)
    })
  )

/** Gives the keys of a run that has ended to the first that waits for each, if it may have them. Answers whether any does. */
export const release = (batch: Batch, id: JobId, at: DateTime.Utc): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const connection = yield* batch.connection
    const { keys } = yield* runWithKeys(connection, id)
    const granted = yield* Effect.forEach(keys, (key) =>
      Effect.gen(function* () {
        const waiter = yield* firstWaiter(connection, key)
        if (Option.isNone(waiter)) return false
        const next = yield* runWithKeys(connection, waiter.value.id)
        if (!(yield* mayHold(connection, waiter.value.id, next.keys))) return false
        const { dueAt, waitsFor } = waitingSince(next.startAt, at)
        yield* execute(connection, "UPDATE charlotte_runs SET waits_for = ?, due_at = ? WHERE id = ?", [
          waitsFor ?? null,
          dueAt === undefined ? null : DateTime.toEpochMillis(dueAt),
          waiter.value.id
        ])
        yield* batch.reload(waiter.value.id)
        return true
      })
    )
    return granted.includes(true)
  })

/** A run that waits for a permit waits behind a key from now on that only its beginning has shown. */
export const waitBehind = (connection: Connection, id: JobId, key: string): Effect.Effect<void, SqlError> =>
  execute(connection, "UPDATE charlotte_runs SET key = ?, waits_for = 'key' WHERE id = ?", [key, id])
