/**
 * Statements on `charlotte_events`.
 */
import type { Connection } from "./Dialect.js"
import { Array, DateTime, Effect, Predicate, Schema } from "effect"
import { JobEvent, lifecycle } from "../../domain/JobEvent.js"
import { JobId } from "../../domain/JobId.js"
import type { AcceptedEvent, Selection } from "../port/RunStoreService.js"
import * as Page from "../rules/Page.js"
import type * as columns from "./columns.js"
import { columnsOf, decodeRows, JsonText, nullable, query, type Value } from "./statements.js"

const Row = Schema.Struct({
  cursor: Schema.Number,
  job_id: JobId,
  seq: Schema.Number,
  at: Schema.DateTimeUtcFromNumber,
  type: Schema.String,
  unit: nullable(Schema.String),
  task: nullable(Schema.Number),
  payload: nullable(JsonText)
})

const selected = columnsOf(Row)

const event = ({ at, cursor, job_id, payload, seq, task, type, unit }: typeof Row.Type): JobEvent =>
  new JobEvent(
    {
      jobId: job_id,
      seq,
      cursor,
      at,
      type,
      ...(unit === null ? {} : { unit }),
      ...(task === null ? {} : { task }),
      ...(payload === null ? {} : { payload: payload.json })
    },
    { disableValidation: true }
  )

/** A row of the first query, which leaves out payloads too large for the inline limit. */
interface Sized {
  readonly row: { readonly [column: string]: unknown }
  /** Payload size; 0 without a payload, and for events of other kinds. */
  readonly bytes: number
}

const sized = (row: unknown): Sized => {
  const read = Predicate.isRecord(row) ? row : {}
  const { bytes } = read
  return { row: read, bytes: typeof bytes === "number" ? bytes : 0 }
}

const payloads = query(Schema.Struct({ cursor: Schema.Number, payload: Schema.String }))

/** The columns of a page. The inline payloads of a page total at most `maxBytes`. */
const pageColumns = (isSelected: string) =>
  `${selected.replace("payload", `CASE WHEN ${isSelected} AND octet_length(payload) <= ? THEN payload END AS payload`)},
   CASE WHEN ${isSelected} THEN octet_length(payload) END AS bytes`

const inlineBytes = (limit: number): number => Math.floor(Page.maxBytes / Math.max(1, limit))

/**
 * The rows that fit into a page, with their payloads. `octet_length` measures without reading, so a second query reads only
 * the large payloads that the page needs.
 */
const complete = (connection: Connection, rows: ReadonlyArray<unknown>, limit: number) =>
  Effect.gen(function* () {
    const all = rows.map(sized)
    const page = all.slice(
      0,
      Page.fitting(all, ({ bytes }) => bytes)
    )
    const large = page.flatMap(({ bytes, row }) => (bytes > inlineBytes(limit) ? [row["cursor"]] : []))
    const read =
      large.length === 0
        ? []
        : yield* payloads(
            connection,
            `SELECT cursor, payload FROM charlotte_events WHERE cursor IN (SELECT value FROM ${connection.dialect.numbers} n)`,
            [JSON.stringify(large)]
          )
    const byCursor = new Map<unknown, string>(read.map(({ cursor, payload }) => [cursor, payload]))
    return {
      rows: page.map(({ row }) => {
        const payload = byCursor.get(row["cursor"])
        return payload === undefined ? row : { ...row, payload }
      }),
      size: page.reduce((sum, { bytes }) => sum + bytes, 0),
      more: page.length < all.length || all.length === limit
    }
  })

const decodeEventRows = decodeRows(Row)

const decodeEvents = (rows: ReadonlyArray<unknown>) => Effect.map(decodeEventRows(rows), Array.map(event))

export const ofJob = (connection: Connection, jobId: JobId, after: number, limit: number) =>
  Effect.gen(function* () {
    const read = yield* connection.execute(
      `SELECT ${pageColumns("TRUE")} FROM charlotte_events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
      [inlineBytes(limit), jobId, after, limit],
      undefined
    )
    const { more, rows, size } = yield* complete(connection, read, limit)
    return { events: yield* decodeEvents(rows), more, size }
  })

const selectRows = query(Row)

const lifecycleTypes = Object.keys(lifecycle)
  .map((type) => `'${type}'`)
  .join(", ")

export const lifecycleOf = (connection: Connection, jobId: JobId) =>
  Effect.map(
    selectRows(
      connection,
      `SELECT ${selected} FROM charlotte_events WHERE job_id = ? AND type IN (${lifecycleTypes}) ORDER BY seq`,
      [jobId]
    ),
    Array.map(event)
  )

const decodePositions = decodeRows(Schema.Struct({ cursor: Schema.Number, kind: nullable(Schema.String) }))

/**
 * The selected events by cursor alone, and how far it read, so that a page of a rare kind costs no more than one of a common kind;
 * payloads of other events, and of runs that are being pruned, are not read.
 */
const selectedBy = (
  connection: Connection,
  [isSelected, ...params]: readonly [sql: string, ...params: ReadonlyArray<Value>],
  after: number,
  limit: number
) =>
  Effect.gen(function* () {
    const read = yield* connection.execute(
      `SELECT ${pageColumns(isSelected)}, CASE WHEN ${isSelected} THEN kind END AS kind
       FROM charlotte_events CROSS JOIN charlotte_runs WHERE id = job_id AND cursor > ? ORDER BY cursor LIMIT ?`,
      [...params, inlineBytes(limit), ...params, ...params, after, limit],
      undefined
    )
    const { more, rows, size } = yield* complete(connection, read, limit)
    const positions = yield* decodePositions(rows)
    const kinds = positions.flatMap(({ kind }) => (kind === null ? [] : [kind]))
    const events = yield* decodeEvents(rows.filter((_, at) => positions[at]?.kind !== null))
    return { kinds, events, cursor: positions.at(-1)?.cursor ?? after, more, size }
  })

export const ofAll = (connection: Connection, kind: string, after: number, limit: number) =>
  Effect.map(selectedBy(connection, ["kind = ? AND pruned = 0", kind], after, limit), ({ kinds: _, ...page }) => page)

/** The events that a subscriber receives, with the kinds of their jobs. */
export const ofSelection = (connection: Connection, { kinds, types }: Selection, after: number, limit: number) => {
  const isAmong = `IN (SELECT value FROM ${connection.dialect.strings} wanted)`
  const wanted = [
    [`kind ${isAmong}`, kinds],
    [`type ${isAmong}`, types]
  ] as const
  const conditions = wanted.flatMap(([sql, values]) => (values === undefined ? [] : [{ sql, values }]))
  const isSelected = ["pruned = 0", ...conditions.map(({ sql }) => sql)].join(" AND ")
  const params = conditions.map(({ values }) => JSON.stringify(values))
  return Effect.map(selectedBy(connection, [isSelected, ...params], after, limit), ({ events, kinds, ...page }) => ({
    ...page,
    deliveries: Array.zipWith(kinds, events, (kind, event) => ({ kind, event }))
  }))
}

const selectLatest = query(Schema.Struct({ cursor: Schema.Number }))

/** The latest drawn cursor, even if its event was deleted. */
export const latest = (connection: Connection) =>
  Effect.map(selectLatest(connection, connection.dialect.latestCursor, []), ([row]) => row?.cursor ?? 0)

/** A row to append. */
export type NewRow = columns.Row<typeof columns.events>

export const newRow = (jobId: JobId, seq: number, event: AcceptedEvent): NewRow => ({
  job_id: jobId,
  seq,
  at: DateTime.toEpochMillis(event.at),
  type: event.type,
  unit: event.unit ?? null,
  task: event.task ?? null,
  payload: event.payload ?? null
})
