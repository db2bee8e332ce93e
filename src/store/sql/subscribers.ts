/**
 * Statements on `charlotte_subscribers` and `charlotte_undelivered`.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { Subscriber, Undelivered } from "../../domain/Subscriber.js"
import { deadAfter } from "../../internal/timing.js"
import type { SubscriberProgress, Registration, SubscriberStore } from "../port/RunStoreService.js"
import { maxShown, maxUndelivered, shortError } from "../rules/subscribing.js"
import { wholeMillis } from "../rules/wholeMillis.js"
import type { Connection, Dialect } from "./Dialect.js"
import { columnsOf, execute, nullable, query } from "./statements.js"

type Parameter<Operation extends keyof SubscriberStore> = SubscriberStore[Operation] extends (
  parameter: infer P
) => unknown
  ? P
  : never

const Names = nullable(Schema.parseJson(Schema.Array(Schema.String)))

const textOf = (names: ReadonlyArray<string> | undefined) => (names === undefined ? null : JSON.stringify(names))

const selectNames = query(Schema.Struct({ name: Schema.String }))

const found = Effect.map((rows: ReadonlyArray<unknown>) => rows.length > 0)

export const register = (connection: Connection, { at, from, hold, kinds, name, types }: Registration) => {
  const { latestCursor } = connection.dialect
  const now = DateTime.toEpochMillis(at)
  return execute(
    connection,
    `INSERT INTO charlotte_subscribers (name, cursor, kinds, types, hold, created_at, moved_at)
     SELECT ?, ${from === "start" ? "0" : `coalesce((${latestCursor}), 0)`}, ?, ?, ?, ?, ? WHERE TRUE
     ON CONFLICT (name) DO UPDATE SET kinds = excluded.kinds, types = excluded.types, hold = excluded.hold`,
    [name, textOf(kinds), textOf(types), wholeMillis(hold), now, now]
  )
}

export const exists = (connection: Connection, name: string): Effect.Effect<boolean, SqlError> =>
  found(selectNames(connection, "SELECT name FROM charlotte_subscribers WHERE name = ?", [name]))

const leased = ({ now }: Dialect) => `${now} + ${deadAfter}`

/** Takes the lease of a subscriber. Without a lease, a lock that is held already proves that no other instance is live. */
export const hold = (connection: Connection, name: string, holder: string, isLease: boolean) => {
  const { dialect } = connection
  const isFree = `(holder IS NULL OR coalesce(held_until, 0) < ${dialect.now})`
  return found(
    selectNames(
      connection,
      `UPDATE charlotte_subscribers SET holder = ?, held_until = ${isLease ? leased(dialect) : "NULL"}
       WHERE name = ?${isLease ? ` AND ${isFree}` : ""} RETURNING name`,
      [holder, name]
    )
  )
}

/** Renews the lease of the holder that is the parameter. */
export const renewal = (dialect: Dialect): string =>
  `UPDATE charlotte_subscribers SET held_until = ${leased(dialect)} WHERE holder = ? RETURNING name`

export const renew = (connection: Connection, holder: string): Effect.Effect<boolean, SqlError> =>
  found(selectNames(connection, renewal(connection.dialect), [holder]))

export const release = (connection: Connection, holder: string) =>
  execute(connection, "UPDATE charlotte_subscribers SET holder = NULL, held_until = NULL WHERE holder = ?", [holder])

const selectProgress = query(
  Schema.Struct({
    cursor: Schema.Number,
    gap_from: nullable(Schema.Number),
    gap_to: nullable(Schema.Number)
  })
)

const selectUndelivered = query(Schema.Struct({ cursor: Schema.Number, aside: Schema.Number }))

export const progress = (connection: Connection, { after, name }: Parameter<"progress">) =>
  Effect.gen(function* () {
    const [row] = yield* selectProgress(
      connection,
      "SELECT cursor, gap_from, gap_to FROM charlotte_subscribers WHERE name = ?",
      [name]
    )
    if (row === undefined) return Option.none<SubscriberProgress>()
    const undelivered = yield* selectUndelivered(
      connection,
      `SELECT cursor, aside FROM charlotte_undelivered WHERE subscriber = ? AND (aside = 0 OR cursor > ?)
       ORDER BY cursor LIMIT ${maxUndelivered}`,
      [name, after]
    )
    const { cursor, gap_from: from, gap_to: to } = row
    return Option.some<SubscriberProgress>({
      cursor,
      gap: from === null || to === null ? Option.none() : Option.some({ from, to }),
      undelivered: undelivered.map(({ aside, cursor }) => ({ cursor, isAside: aside === 1 }))
    })
  })

export const move = (connection: Connection, { at, cursor, holder, name }: Parameter<"move">) =>
  found(
    selectNames(
      connection,
      "UPDATE charlotte_subscribers SET cursor = ?, moved_at = ? WHERE name = ? AND holder = ? RETURNING name",
      [cursor, DateTime.toEpochMillis(at), name, holder]
    )
  )

const selectFailedAt = query(Schema.Struct({ failed_at: Schema.DateTimeUtcFromNumber }))

export const failed = (connection: Connection, { at, cursor, error, jobId, name }: Parameter<"failed">) =>
  Effect.map(
    selectFailedAt(
      connection,
      `INSERT INTO charlotte_undelivered (subscriber, cursor, job_id, failed_at, error)
       SELECT ?, ?, id, ?, ? FROM charlotte_runs WHERE id = ?
       ON CONFLICT (subscriber, cursor) DO UPDATE SET error = excluded.error RETURNING failed_at`,
      [name, cursor, DateTime.toEpochMillis(at), shortError(error), jobId]
    ),
    // The run may have been deleted meanwhile.
    ([row]) => row?.failed_at ?? at
  )

export const putAside = (connection: Connection, { cursor, name }: Parameter<"putAside">) =>
  execute(connection, "UPDATE charlotte_undelivered SET aside = 1 WHERE subscriber = ? AND cursor = ?", [name, cursor])

export const settle = (connection: Connection, { cursor, name }: Parameter<"settle">) =>
  execute(connection, "DELETE FROM charlotte_undelivered WHERE subscriber = ? AND cursor = ?", [name, cursor])

export const skipped = (connection: Connection, name: string) =>
  execute(connection, "UPDATE charlotte_subscribers SET skipped = skipped + 1 WHERE name = ?", [name])

export const closeGap = (connection: Connection, { name, to }: Parameter<"closeGap">) =>
  execute(connection, "UPDATE charlotte_subscribers SET gap_from = NULL, gap_to = NULL WHERE name = ? AND gap_to = ?", [
    name,
    to
  ])

const selectAside = query(Schema.Struct({ cursor: Schema.Number }))

export const retry = (connection: Connection, { at, name }: Parameter<"retry">) =>
  Effect.map(
    selectAside(
      connection,
      "UPDATE charlotte_undelivered SET aside = 0, failed_at = ? WHERE subscriber = ? AND aside = 1 RETURNING cursor",
      [DateTime.toEpochMillis(at), name]
    ),
    ({ length }) => length
  )

export const remove = (connection: Connection, name: string) =>
  Effect.zipRight(
    execute(connection, "DELETE FROM charlotte_undelivered WHERE subscriber = ?", [name]),
    execute(connection, "DELETE FROM charlotte_subscribers WHERE name = ?", [name])
  )

const Row = Schema.Struct({
  name: Schema.String,
  kinds: Names,
  types: Names,
  cursor: Schema.Number,
  hold: Schema.Number,
  skipped: Schema.Number,
  gap_from: nullable(Schema.Number),
  gap_to: nullable(Schema.Number),
  created_at: Schema.DateTimeUtcFromNumber,
  moved_at: Schema.DateTimeUtcFromNumber
})

const counts = { latest: Schema.Number, failing: Schema.Number, aside: Schema.Number }

const selectRows = query(Schema.Struct({ ...Row.fields, ...counts }))

const Shown = Schema.Struct({
  jobId: JobId,
  cursor: Schema.Number,
  type: Schema.String,
  failedAt: Schema.DateTimeUtcFromNumber,
  aside: Schema.Number,
  error: Schema.String
})

const selectShown = query(Shown)

const shown = (connection: Connection, name: string) =>
  Effect.map(
    selectShown(
      connection,
      `SELECT u.job_id AS "jobId", u.cursor, e.type, u.failed_at AS "failedAt", u.aside, u.error
       FROM charlotte_undelivered u CROSS JOIN charlotte_events e
       WHERE u.subscriber = ? AND e.cursor = u.cursor ORDER BY u.cursor LIMIT ${maxShown}`,
      [name]
    ),
    (rows) =>
      rows.map(({ aside, ...row }) => new Undelivered({ ...row, isAside: aside === 1 }, { disableValidation: true }))
  )

const countOf = (aside: 0 | 1) =>
  `(SELECT count(*) FROM charlotte_undelivered u WHERE u.subscriber = s.name AND u.aside = ${aside})`

export const list = (connection: Connection) =>
  Effect.gen(function* () {
    const rows = yield* selectRows(
      connection,
      `SELECT ${columnsOf(Row)}, ${countOf(0)} AS failing, ${countOf(1)} AS aside,
         coalesce((${connection.dialect.latestCursor}), 0) AS latest
       FROM charlotte_subscribers s ORDER BY name`,
      []
    )
    return yield* Effect.forEach(rows, (row) =>
      Effect.map(
        row.failing + row.aside === 0 ? Effect.succeed([]) : shown(connection, row.name),
        (undelivered) =>
          new Subscriber(
            {
              name: row.name,
              ...(row.kinds !== null && { kinds: row.kinds }),
              ...(row.types !== null && { types: row.types }),
              cursor: row.cursor,
              behind: Math.max(0, row.latest - row.cursor),
              hold: row.hold,
              createdAt: row.created_at,
              movedAt: row.moved_at,
              failing: row.failing,
              aside: row.aside,
              skipped: row.skipped,
              ...(row.gap_from !== null && row.gap_to !== null && { gap: { from: row.gap_from, to: row.gap_to } }),
              undelivered
            },
            { disableValidation: true }
          )
      )
    )
  })

/** Whether a subscriber still waits for a run, which has ended, or for an earlier run of its chain; the parameter is the time. */
export const isHeld = ({ elementsOf }: Dialect): string =>
  `EXISTS (SELECT 1 FROM charlotte_subscribers s WHERE r.ended_at > ? - s.hold
     AND (s.kinds IS NULL OR r.kind IN (SELECT value FROM ${elementsOf("s.kinds")} k))
     AND (s.cursor < (SELECT e.cursor FROM charlotte_events e WHERE e.job_id = r.id ORDER BY e.seq DESC LIMIT 1)
       OR EXISTS (SELECT 1 FROM charlotte_undelivered u WHERE u.subscriber = s.name AND (u.job_id = r.id
         OR u.job_id IN (SELECT c.id FROM charlotte_runs c WHERE c.id = r.chain OR c.chain = r.chain)))))`

const selectMissed = query(Schema.Struct({ name: Schema.String, first: Schema.Number, last: Schema.Number }))

/** Records which subscribers miss events of these runs, which are pruned. */
export const miss = (connection: Connection, ids: ReadonlyArray<JobId>) => {
  const { elementsOf, strings } = connection.dialect
  return Effect.gen(function* () {
    const missed = yield* selectMissed(
      connection,
      `SELECT s.name, min(e.cursor) AS first, max(e.cursor) AS last
       FROM charlotte_subscribers s CROSS JOIN ${strings} ids CROSS JOIN charlotte_runs r CROSS JOIN charlotte_events e
       WHERE r.id = ids.value AND e.job_id = r.id
         AND (s.kinds IS NULL OR r.kind IN (SELECT value FROM ${elementsOf("s.kinds")} k))
         AND (s.types IS NULL OR e.type IN (SELECT value FROM ${elementsOf("s.types")} t))
         AND (e.cursor > s.cursor OR EXISTS (SELECT 1 FROM charlotte_undelivered u
           WHERE u.subscriber = s.name AND u.cursor = e.cursor AND u.aside = 0))
       GROUP BY s.name`,
      [JSON.stringify(ids)]
    )
    yield* Effect.forEach(
      missed,
      ({ first, last, name }) =>
        execute(
          connection,
          `UPDATE charlotte_subscribers SET gap_from = CASE WHEN gap_from < ? THEN gap_from ELSE ? END,
             gap_to = CASE WHEN gap_to > ? THEN gap_to ELSE ? END WHERE name = ?`,
          [first, first, last, last, name]
        ),
      { discard: true }
    )
  })
}
