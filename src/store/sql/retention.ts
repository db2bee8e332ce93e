/**
 * Statements for pruning, and for pinned runs.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { isWorkflow } from "../../domain/workflowKind.js"
import * as Page from "../rules/Page.js"
import type { RetentionStore, Span } from "../port/RunStoreService.js"
import * as decisions from "./decisions.js"
import { execute, nullable, query, queryOne, type Value } from "./statements.js"
import { isHeld, miss } from "./subscribers.js"
import { keyOf, namesWhere } from "./tables.js"

const selectFinished = query(
  Schema.Struct({
    id: JobId,
    status: Schema.Literal("completed", "failed", "cancelled"),
    endedAt: Schema.DateTimeUtcFromNumber,
    earlier: Schema.parseJson(Schema.Array(JobId))
  })
)

const isPrunable = "ended_at IS NOT NULL AND pinned = 0 AND pruned = 0"

/** Whether a process of the job may be alive; this row is needed to find it. */
export const isLeft = "EXISTS (SELECT 1 FROM charlotte_attempts a WHERE a.job_id = r.id AND a.closed_at IS NULL)"

/** Whether the parent of a child may still read how it has ended. */
const isAwaited = "EXISTS (SELECT 1 FROM charlotte_runs p WHERE p.id = r.parent AND p.ended_at IS NULL)"

/** A chain is pruned with its last run, once all of its runs can be pruned. */
const isLastOfChain = `NOT EXISTS (SELECT 1 FROM charlotte_runs t WHERE t.retry_of = r.id AND t.pruned = 0 AND t.chain IS NOT NULL)
       AND (r.chain IS NULL OR NOT EXISTS (SELECT 1 FROM charlotte_runs c WHERE (c.id = r.chain OR c.chain = r.chain) AND (
         c.ended_at IS NULL OR c.pinned = 1
         OR EXISTS (SELECT 1 FROM charlotte_attempts a WHERE a.job_id = c.id AND a.closed_at IS NULL))))`

const earlierOf = (connection: Connection): string =>
  `CASE WHEN r.chain IS NULL THEN '[]' ELSE (SELECT ${connection.dialect.arrayOf("c.id")}
     FROM charlotte_runs c WHERE (c.id = r.chain OR c.chain = r.chain) AND c.id <> r.id AND c.pruned = 0) END`

const searchOf = (
  connection: Connection,
  kind: string,
  at: DateTime.Utc,
  { after, status, until }: Span,
  limit: number
): readonly [sql: string, ...params: ReadonlyArray<Value>] => {
  const afterSql = after === undefined ? "" : " AND (ended_at, id) > (?, ?)"
  const untilSql = until === undefined ? "" : " AND ended_at <= ?"
  return [
    `SELECT * FROM (SELECT id, status, ended_at AS "endedAt", ${earlierOf(connection)} AS earlier FROM charlotte_runs r
       WHERE kind = ? AND status = ?${afterSql}${untilSql} AND ${isPrunable} AND NOT ${isLeft} AND ${isLastOfChain}
         AND NOT ${isAwaited} AND NOT ${isHeld(connection.dialect)}
       ORDER BY ended_at, id LIMIT ?) AS limited`,
    kind,
    status,
    ...(after === undefined ? [] : [DateTime.toEpochMillis(after.endedAt), after.id]),
    ...(until === undefined ? [] : [DateTime.toEpochMillis(until)]),
    DateTime.toEpochMillis(at),
    limit
  ]
}

/** Finished runs; each status is a separate index search. */
export const finished = (
  connection: Connection,
  { at, kind, limit, spans }: Parameters<RetentionStore["finished"]>[0]
): ReturnType<typeof selectFinished> => {
  const searches = spans.map((span) => searchOf(connection, kind, at, span, limit))
  return spans.length === 0
    ? Effect.succeed([])
    : selectFinished(
        connection,
        `SELECT * FROM (${searches.map(([sql]) => sql).join(" UNION ALL ")}) AS limited ORDER BY "endedAt", id LIMIT ?`,
        [...searches.flatMap(([, ...params]) => params), limit]
      )
}

const selectCount = query(Schema.Struct({ runs: Schema.Number }))

export const count = (connection: Connection, kind: string): Effect.Effect<number, SqlError> =>
  Effect.map(
    selectCount(connection, "SELECT runs FROM charlotte_finished WHERE kind = ?", [kind]),
    ([row]) => row?.runs ?? 0
  )

const selectCounts = query(Schema.Struct({ kind: Schema.String, runs: Schema.Number }))

/** The number of finished runs that are not pinned, of each kind that has any. */
export const counts = (connection: Connection) =>
  selectCounts(connection, "SELECT kind, runs FROM charlotte_finished WHERE runs > 0", [])

const selectIds = query(Schema.Struct({ id: JobId }))

const idsOf = Effect.map((rows: ReadonlyArray<{ readonly id: JobId }>): ReadonlyArray<JobId> =>
  rows.map(({ id }) => id)
)

/** Tells other processes, which follow the number, that their caches may contain runs that are gone. */
const countPruning = (connection: Connection) =>
  execute(
    connection,
    `INSERT INTO charlotte_prunings AS p (one, prunings) VALUES (1, 1)
     ON CONFLICT (one) DO UPDATE SET prunings = p.prunings + 1`
  )

const selectPrunings = query(Schema.Struct({ prunings: Schema.Number }))

/** How often runs were hidden, by any process. */
export const prunings = (connection: Connection): Effect.Effect<number, SqlError> =>
  Effect.map(selectPrunings(connection, "SELECT prunings FROM charlotte_prunings", []), ([row]) => row?.prunings ?? 0)

const selectHidden = query(Schema.Struct({ id: JobId, kind: Schema.String, subscribed: Schema.Number }))

export const hide = (connection: Connection, ids: ReadonlyArray<JobId>) =>
  Effect.gen(function* () {
    const hidden = yield* selectHidden(
      connection,
      `WITH going AS (
         SELECT r.id, r.chain FROM ${connection.dialect.strings} ids CROSS JOIN charlotte_runs r
         WHERE r.id = ids.value AND ${isLastOfChain}
       )
       UPDATE charlotte_runs AS r SET pruned = 1
       WHERE id IN (
         SELECT id FROM going UNION SELECT chain FROM going WHERE chain IS NOT NULL
         UNION SELECT c.id FROM going CROSS JOIN charlotte_runs c WHERE c.chain = going.chain
       ) AND ${isPrunable} AND NOT ${isLeft}
       RETURNING id, kind, CASE WHEN EXISTS (SELECT 1 FROM charlotte_subscribers) THEN 1 ELSE 0 END AS subscribed`,
      [JSON.stringify(ids)]
    )
    const gone = hidden.map(({ id }) => id)
    if (hidden.some(({ subscribed }) => subscribed === 1)) yield* miss(connection, gone)
    // Now, since another execution may have the same key.
    if (hidden.some(({ kind }) => isWorkflow(kind))) yield* decisions.removeOf(connection, gone)
    if (gone.length > 0) yield* countPruning(connection)
    return gone
  })

export const hidden = (connection: Connection, { after, kind, limit }: Parameters<RetentionStore["hidden"]>[0]) =>
  idsOf(
    selectIds(
      connection,
      "SELECT id FROM charlotte_runs WHERE kind = ? AND pruned = 1 AND id > ? ORDER BY id LIMIT ?",
      [kind, after ?? "", limit]
    )
  )

const selectEvents = query(Schema.Struct({ seq: Schema.Number, bytes: Schema.Number }))

/** Maximum number of events or keys that one statement deletes; fewer if their payloads fill a page. */
const chunk = 256

const withEvents = namesWhere(({ pruned }) => pruned === "by seq")
const withKeys = namesWhere(({ pruned }) => pruned === "by key")

/** Deletes the run with its last events, or else the first of its events. Returns whether the run is deleted. */
const removeChunk = (connection: Connection, id: JobId): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const events = yield* selectEvents(
      connection,
      `SELECT seq, coalesce(octet_length(payload), 0) AS bytes FROM charlotte_events WHERE job_id = ? ORDER BY seq LIMIT ${chunk}`,
      [id]
    )
    const fitting = Page.fitting(events, ({ bytes }) => bytes)
    const isLast = fitting === events.length && events.length < chunk
    if (isLast) {
      for (const name of withKeys) {
        const key = keyOf(name).join(", ")
        const deleted = yield* selectIds(
          connection,
          `DELETE FROM ${name} WHERE (${key}) IN (SELECT ${key} FROM ${name} WHERE job_id = ? LIMIT ${chunk})
           RETURNING job_id AS id`,
          [id]
        )
        if (deleted.length === chunk) return false
      }
      yield* execute(connection, "DELETE FROM charlotte_runs WHERE id = ? AND pruned = 1", [id])
      return true
    }
    const last = events[fitting - 1]?.seq ?? 0
    // A signal has the sequence number and the payload of its event.
    for (const name of withEvents) {
      yield* execute(connection, `DELETE FROM ${name} WHERE job_id = ? AND seq <= ?`, [id, last])
    }
    return false
  })

/** Those among these runs that were removed. */
export const removed = (connection: Connection, ids: ReadonlyArray<JobId>) =>
  idsOf(
    selectIds(connection, `SELECT id FROM charlotte_removed WHERE ${connection.dialect.oneOf("id")} ORDER BY id`, [
      JSON.stringify(ids)
    ])
  )

/** Deletes until the time is up; the next transaction deletes the rest. Returns the runs that are completely deleted. */
export const remove = (
  connection: Connection,
  ids: ReadonlyArray<JobId>,
  isTimeUp: Effect.Effect<boolean>
): Effect.Effect<ReadonlyArray<JobId>, SqlError> =>
  Effect.gen(function* () {
    const deleted: Array<JobId> = []
    for (const id of ids) {
      while (!(yield* removeChunk(connection, id))) if (yield* isTimeUp) return deleted
      deleted.push(id)
      if (yield* isTimeUp) return deleted
    }
    return deleted
  })

/** Pins or unpins a run. Returns whether it exists. */
export const setPinned = (connection: Connection, id: JobId, isPinned: boolean): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    selectIds(connection, "UPDATE charlotte_runs SET pinned = ? WHERE id = ? AND pruned = 0 RETURNING id", [
      isPinned ? 1 : 0,
      id
    ]),
    ({ length }) => length > 0
  )

const selectClock = queryOne(Schema.Struct({ now: Schema.DateTimeUtcFromNumber }))

/** The time by the clock of the database. */
export const databaseTime = (connection: Connection): Effect.Effect<DateTime.Utc, SqlError> =>
  Effect.map(selectClock(connection, `SELECT ${connection.dialect.now} AS now`, []), ({ now }) => now)

const selectLatest = query(Schema.Struct({ id: nullable(JobId) }))

/** The id of the newest run, even if that run was deleted. */
export const latestId = (connection: Connection) =>
  Effect.map(
    selectLatest(
      connection,
      "SELECT max(id) AS id FROM (SELECT max(id) AS id FROM charlotte_runs UNION ALL SELECT id FROM charlotte_latest) AS newest",
      []
    ),
    ([row]) => row?.id ?? undefined
  )
