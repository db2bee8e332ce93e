/**
 * The filters of a search beside its words.
 */
import type { Connection } from "./Dialect.js"
import { Array, Effect, Order, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { RunQuery } from "../port/RunStoreService.js"
import { isSettled } from "./listing.js"
import { byPartition, documentsOf } from "./searchPartitions.js"
import { query, type Value } from "./statements.js"

export type SearchQuery = RunQuery & { readonly limit: number }

/** Maximum number of runs with the words that a page checks against the other filters. */
export const maxFiltered = 10_000

/** An SQL condition and its parameters. */
type Condition = readonly [sql: string, ...params: ReadonlyArray<Value>]

export const where = (conditions: ReadonlyArray<Condition>) => conditions.map(([sql]) => sql).join(" AND ")
export const paramsOf = (conditions: ReadonlyArray<Condition>) => conditions.flatMap(([, ...params]) => params)

/** Conditions on runs `r`. */
export const conditions = ({ before, kind, labels = {}, status, ...others }: SearchQuery): ReadonlyArray<Condition> => [
  ["r.pruned = 0"],
  ...(kind === undefined ? [] : [["r.kind = ?", kind] as const]),
  ...(status === undefined ? [] : [["r.status = ?", status] as const]),
  ...(before === undefined ? [] : [["r.id < ?", before] as const]),
  ...isSettled(others),
  ...Object.entries(labels).map(
    ([name, value]) =>
      [
        "EXISTS (SELECT 1 FROM charlotte_labels l WHERE l.name = ? AND l.value = ? AND l.run_id = r.id)",
        name,
        value
      ] as const
  )
]

const selectIds = query(Schema.Struct({ id: JobId }))
const selectCount = query(Schema.Struct({ runs: Schema.Number }))

/** The newest of these documents that match the filters. */
export const filtered = (connection: Connection, pageQuery: SearchQuery, documents: ReadonlyArray<number>) => {
  const filters = conditions(pageQuery)
  return Effect.map(
    selectIds(
      connection,
      `SELECT r.id FROM ${connection.dialect.numbers} m CROSS JOIN charlotte_documents d CROSS JOIN charlotte_runs r
       WHERE d.document = m.value AND r.id = d.run_id AND ${where(filters)} ORDER BY r.id DESC LIMIT ?`,
      [JSON.stringify(documents), ...paramsOf(filters), pageQuery.limit]
    ),
    Array.map(({ id }) => id)
  )
}

/** The documents of runs that match these filters, by partition, if there are few. */
export const narrowed = (connection: Connection, { before, kind, labels = {}, status }: SearchQuery) =>
  Effect.gen(function* () {
    const others = (table: "l" | "r"): ReadonlyArray<Condition> => [
      ...(kind === undefined ? [] : [[`${table}.kind = ?`, kind] as const]),
      ...(status === undefined ? [] : [[`${table}.status = ?`, status] as const]),
      [table === "l" ? "l.run_id < ?" : "r.id < ?", before ?? "~"]
    ]
    const ofLabels = Object.entries(labels).map(
      ([name, value]) =>
        [
          "SELECT l.run_id FROM charlotte_labels l",
          [["l.name = ?", name] as const, ["l.value = ?", value] as const, ...others("l")],
          "ORDER BY l.run_id DESC"
        ] as const
    )
    const ways = Array.isNonEmptyReadonlyArray(ofLabels)
      ? ofLabels
      : ([["SELECT r.id AS run_id FROM charlotte_runs r", others("r"), "ORDER BY r.id DESC"]] as const)
    const counted = yield* Effect.forEach(ways, ([from, filters, order]) => {
      const sql = `${from} WHERE ${where(filters)} ${order} LIMIT ${maxFiltered}`
      const params = paramsOf(filters)
      return Effect.map(selectCount(connection, `SELECT count(*) AS runs FROM (${sql}) AS f`, params), ([row]) => ({
        sql,
        params,
        runs: row?.runs ?? 0
      }))
    })
    const fewest = Array.min(
      counted,
      Order.mapInput(Order.number, ({ runs }) => runs)
    )
    if (fewest.runs === maxFiltered) return undefined
    const documents = yield* documentsOf(
      connection,
      `SELECT ${connection.dialect.arrayOf("d.document")} AS documents
       FROM (${fewest.sql}) f CROSS JOIN charlotte_documents d WHERE d.run_id = f.run_id`,
      fewest.params
    )
    return byPartition(documents)
  })
