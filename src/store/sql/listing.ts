/**
 * Pages of runs. Every combination of kind, status, one label and `before` is read off an index in the order in which it is
 * listed, so a page costs the same however long the history is.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Array, Effect, Option, Order, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RunPage, RunQuery } from "../RunStoreService.js"
import { columns, decode } from "./runRow.js"
import { query, queryBy, type Value } from "./Session.js"

type Asked = RunQuery & { readonly limit: number }
type Label = readonly [name: string, value: string]

/** A condition, and what stands in it. */
type Part = readonly [sql: string, ...params: ReadonlyArray<Value>]

/** Greater than every id: with a bound, a list that begins with the newest run is a search in an index, too. */
const newest = "~"

/** Runs that are looked at for one page, where several labels have to be on them. */
const most = 10_000

const where = (parts: ReadonlyArray<Part>): string => parts.map(([sql]) => sql).join(" AND ")
const paramsOf = (parts: ReadonlyArray<Part>): ReadonlyArray<Value> => parts.flatMap(([, ...params]) => params)

/** Of the runs themselves, or of their labels, with which kind and status are kept as well. */
const asPartOf = (id: "r.id" | "l.run_id", { before, kind, status }: Asked): ReadonlyArray<Part> => {
  const [table] = id
  return [
    ...(kind === undefined ? [] : [[`${table}.kind = ?`, kind] as const]),
    ...(status === undefined ? [] : [[`${table}.status = ?`, status] as const]),
    [`${id} < ?`, before ?? newest]
  ]
}

const isLabel = ([name, value]: Label): ReadonlyArray<Part> => [
  ["l.name = ?", name],
  ["l.value = ?", value]
]

const hasLabel = ([name, value]: Label): Part => [
  "EXISTS (SELECT 1 FROM charlotte_labels o WHERE o.name = ? AND o.value = ? AND o.run_id = l.run_id)",
  name,
  value
]

const select = queryBy(decode)
const runColumns = columns.replaceAll(/\w+/g, (column) => `r.${column}`)

const withoutLabel = (connection: Connection, asked: Asked) => {
  const parts = asPartOf("r.id", asked)
  return select(
    connection,
    `SELECT ${runColumns} FROM charlotte_runs r WHERE ${where(parts)} ORDER BY r.id DESC LIMIT ?`,
    [...paramsOf(parts), asked.limit]
  )
}

const withLabel = (connection: Connection, asked: Asked, label: Label, others: ReadonlyArray<Part> = []) => {
  const parts = [...isLabel(label), ...asPartOf("l.run_id", asked), ...others]
  return select(
    connection,
    `SELECT ${runColumns} FROM charlotte_labels l CROSS JOIN charlotte_runs r ON r.id = l.run_id
     WHERE ${where(parts)} ORDER BY l.run_id DESC LIMIT ?`,
    [...paramsOf(parts), asked.limit]
  )
}

const selectReach = query(Schema.Struct({ runs: Schema.Number, oldest: Schema.NullOr(JobId) }))

/** How many runs have a label, up to as many as are looked at, and the oldest of them. */
const reachOf = (connection: Connection, asked: Asked, label: Label) => {
  const parts = [...isLabel(label), ...asPartOf("l.run_id", asked)]
  return Effect.map(
    selectReach(
      connection,
      `SELECT count(*) AS runs, min(run_id) AS oldest FROM
         (SELECT l.run_id FROM charlotte_labels l WHERE ${where(parts)} ORDER BY l.run_id DESC LIMIT ?)`,
      [...paramsOf(parts), most]
    ),
    ([reach]) => ({ label, runs: reach?.runs ?? 0, oldest: reach?.oldest ?? undefined })
  )
}

type Reach = Effect.Effect.Success<ReturnType<typeof reachOf>>

const byRuns = Order.mapInput(Order.number, ({ runs }: Reach) => runs)

const page = (found: ReadonlyArray<Run>, limit: number, oldest?: JobId): RunPage => {
  const runs = found.slice(0, limit)
  const last = found.length > limit ? runs.at(-1)?.id : oldest
  return { runs, next: Option.fromNullable(last) }
}

const withLabels = (connection: Connection, asked: Asked, limit: number, labels: Array.NonEmptyReadonlyArray<Label>) =>
  Effect.gen(function* () {
    const reaches = yield* Effect.forEach(labels, (label) => reachOf(connection, asked, label))
    const { label, oldest, runs } = Array.min(reaches, byRuns)
    const others = Array.filter(labels, (other) => other !== label).map(hasLabel)
    const isWhole = runs < most || oldest === undefined
    const bound: ReadonlyArray<Part> = isWhole ? [] : [["l.run_id >= ?", oldest]]
    const found = yield* withLabel(connection, asked, label, [...bound, ...others])
    return page(found, limit, isWhole ? undefined : oldest)
  })

/** One more is read than is wanted, to know whether anything follows. */
export const pageOf = (connection: Connection, query: Asked): Effect.Effect<RunPage, SqlError> => {
  const { labels = {}, limit } = query
  const asked = { ...query, limit: limit + 1 }
  const [first, ...others] = Object.entries(labels)
  if (first === undefined) return Effect.map(withoutLabel(connection, asked), (found) => page(found, limit))
  return others.length === 0
    ? Effect.map(withLabel(connection, asked, first), (found) => page(found, limit))
    : withLabels(connection, asked, limit, [first, ...others])
}
