/**
 * Keys of runs: at most one job holds a key, and the others wait behind it in the order of their ids. A run that waits for
 * one of its two keys holds neither, so that no two runs wait for each other.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Array, type DateTime, Effect, Option, Schema, Struct } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { heldBy, keysOf } from "../rules/admitRun.js"
import type { HeldKey, Holder, Key } from "../port/RunStoreService.js"
import { waitingSince } from "../rules/RunTransition.js"
import type { Batch } from "./Batch.js"
import { keysOfHead } from "./runs.js"
import { Row } from "./runRow.js"
import { columnsOf, nullable, query } from "./statements.js"

const column = { key: "key", startKey: "start_key" } as const

const HolderRow = Schema.Struct({ ...Struct.pick(Row.fields, "id", "status", "parked") })
const selectHolders = query(HolderRow)
const holderOf = ({ id, parked, status }: typeof HolderRow.Type): Holder => ({
  id,
  status,
  ...(parked === null ? {} : { parked })
})

const first = (
  connection: Connection,
  { key, kind, of }: Key,
  where: string
): Effect.Effect<Option.Option<Holder>, SqlError> =>
  Effect.map(
    selectHolders(
      connection,
      `SELECT ${columnsOf(HolderRow)} FROM charlotte_runs WHERE kind = ? AND ${column[of]} = ? AND ${where} LIMIT 1`,
      [kind, key]
    ),
    ([row]) => Option.map(Option.fromNullable(row), holderOf)
  )

const owner = (connection: Connection, key: Key) =>
  first(connection, key, "ended_at IS NULL AND waits_for IS DISTINCT FROM 'key'")

const firstWaiter = (connection: Connection, key: Key) => first(connection, key, "waits_for = 'key' ORDER BY id")

/** The job that holds a key, or else the first that waits for it. */
export const holder = (connection: Connection, key: Key): Effect.Effect<Option.Option<Holder>, SqlError> =>
  Effect.flatMap(owner(connection, key), (found) =>
    Option.isSome(found) ? Effect.succeed(found) : firstWaiter(connection, key)
  )

const selectKeys = query(
  Schema.Struct({ kind: Schema.String, key: nullable(Schema.String), start_key: nullable(Schema.String) })
)

const keysNow = (connection: Connection, id: JobId): Effect.Effect<ReadonlyArray<Key>, SqlError> =>
  Effect.map(
    selectKeys(connection, "SELECT kind, key, start_key FROM charlotte_runs WHERE id = ? AND ended_at IS NULL", [id]),
    (rows) =>
      rows.flatMap(({ key, kind, start_key: startKey }) =>
        keysOf({ kind, key: key ?? undefined, startKey: startKey ?? undefined })
      )
  )

/** The keys of a run that is not over, each with its holder. */
export const ofRun = (connection: Connection, id: JobId): Effect.Effect<ReadonlyArray<HeldKey>, SqlError> =>
  Effect.gen(function* () {
    const keys = yield* keysNow(connection, id)
    const held = yield* Effect.forEach(keys, (key) => Effect.map(holder(connection, key), heldBy(key)))
    return Array.getSomes(held)
  })

/** The runs that wait for a key in order to replace its holder. */
export const replacing = (connection: Connection, { key, kind, of }: Key) =>
  Effect.map(
    selectHolders(
      connection,
      `SELECT ${columnsOf(HolderRow)} FROM charlotte_runs
       WHERE kind = ? AND ${column[of]} = ? AND waits_for = 'key' AND replaces = 1 ORDER BY id`,
      [kind, key]
    ),
    (rows) => rows.map(holderOf)
  )

/** Whether a waiting run may get all of its keys: no key is held, and the run is the first that waits for each. */
const mayHold = (connection: Connection, id: JobId, keys: ReadonlyArray<Key>) =>
  Effect.every(keys, (key) =>
    Effect.gen(function* () {
      if (Option.isSome(yield* owner(connection, key))) return false
      return Option.exists(yield* firstWaiter(connection, key), (waiter) => waiter.id === id)
    })
  )

/** Passes a key that no run holds to the first waiter, if that may hold all of its keys. */
export const handOn = (batch: Batch, key: Key, at: DateTime.Utc): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const connection = yield* batch.connection
    yield* batch.lockAdmission(key.kind)
    const waiter = yield* firstWaiter(connection, key)
    if (Option.isNone(waiter)) return
    const { id } = waiter.value
    const head = yield* batch.reload(id)
    if (head?.state.waitsFor !== "key" || !(yield* mayHold(connection, id, keysOfHead(head)))) return
    yield* batch.change(id, head, { ...head.state, ...waitingSince(head.startAt, at, head.state.group) })
  })

/**
 * Hands on keys that a run no longer holds. If transactions of an application run at the same time, this comes after the commit:
 * a run inserted by an open transaction may block it, and must not delay the end of a job.
 */
export const release = (batch: Batch, keys: ReadonlyArray<Key>, at: DateTime.Utc): Effect.Effect<void, SqlError> =>
  keys.length === 0 || batch.handOnLater(keys, at)
    ? Effect.void
    : Effect.forEach(keys, (key) => handOn(batch, key, at), { discard: true })

/** Keys of a kind that runs wait for, with one index search for each. */
const awaited = (of: Key["of"]) => {
  const next = (after: string) =>
    `SELECT min(${column[of]}) FROM charlotte_runs WHERE kind = ? AND waits_for = 'key'${after}`
  return `WITH RECURSIVE awaited (key) AS (
      ${next("")}
      UNION ALL SELECT (${next(` AND ${column[of]} > a.key`)}) FROM awaited a WHERE a.key IS NOT NULL
    )
    SELECT key FROM awaited a WHERE key IS NOT NULL AND NOT EXISTS
      (SELECT 1 FROM charlotte_runs WHERE kind = ? AND ${column[of]} = a.key AND ended_at IS NULL
         AND waits_for IS DISTINCT FROM 'key')`
}

const selectAwaited = query(Schema.Struct({ key: Schema.String }))

/** The keys of a kind that no run holds and that can be handed on: the process that should have done so may be gone. */
export const left = (connection: Connection, kind: string): Effect.Effect<ReadonlyArray<Key>, SqlError> =>
  Effect.gen(function* () {
    const found: Array<Key> = []
    for (const of of ["key", "startKey"] as const) {
      for (const { key } of yield* selectAwaited(connection, awaited(of), [kind, kind, kind])) {
        const waiter = yield* firstWaiter(connection, { kind, of, key })
        if (Option.isNone(waiter)) continue
        const { id } = waiter.value
        const keys = yield* keysNow(connection, id)
        if (yield* mayHold(connection, id, keys)) found.push({ kind, of, key })
      }
    }
    return found
  })
