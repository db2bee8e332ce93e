/**
 * Pages of runs. Each combination of kind, status, one label and `before` is served from an index in listing order, so the
 * cost of a page does not depend on the size of the history.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Array, Effect, Option, Order, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RunPage, RunQuery } from "../port/RunStoreService.js"
import { isHandled, listedColumns, select } from "./runRow.js"
import { nullable, query, type Value } from "./statements.js"

type PageQuery = RunQuery & { readonly limit: number }
type Label = readonly [name: string, value: string]

/** An SQL condition and its parameters. */
type Condition = readonly [sql: string, ...params: ReadonlyArray<Value>]

/** A bound greater than every id, so that the first page is an index search, too. */
const afterAllIds = "~"

/** Maximum number of runs scanned for one page with several labels, or with `retried` or `handled`. */
const maxScanned = 10_000

const where = (conditions: ReadonlyArray<Condition>): string => conditions.map(([sql]) => sql).join(" AND ")
const paramsOf = (conditions: ReadonlyArray<Condition>): ReadonlyArray<Value> =>
  conditions.flatMap(([, ...params]) => params)

/** Conditions on runs, or on labels, which repeat the kind and the status. */
const filters = (id: "r.id" | "l.run_id", { before, kind, status }: PageQuery): ReadonlyArray<Condition> => {
  const [table] = id
  return [
    ...(kind === undefined ? [] : [[`${table}.kind = ?`, kind] as const]),
    ...(status === undefined ? [] : [[`${table}.status = ?`, status] as const]),
    [`${id} < ?`, before ?? afterAllIds]
  ]
}

const isLabel = ([name, value]: Label): ReadonlyArray<Condition> => [
  ["l.name = ?", name],
  ["l.value = ?", value]
]

const hasLabel = ([name, value]: Label): Condition => [
  "EXISTS (SELECT 1 FROM charlotte_labels o WHERE o.name = ? AND o.value = ? AND o.run_id = l.run_id)",
  name,
  value
]

/** Whether another run retries a run of `r`, and whether its failure is left to its parent. */
export const isSettled = ({ handled, retried }: Pick<RunQuery, "handled" | "retried">): ReadonlyArray<Condition> => [
  ...(retried === undefined
    ? []
    : [
        [
          `${retried ? "" : "NOT "}EXISTS (SELECT 1 FROM charlotte_runs t WHERE t.retry_of = r.id AND t.pruned = 0)`
        ] as const
      ]),
  ...(handled === undefined ? [] : [[`${handled ? "" : "NOT "}(${isHandled})`] as const])
]

const withoutLabel = (connection: Connection, pageQuery: PageQuery, others: ReadonlyArray<Condition> = []) => {
  const conditions = [...filters("r.id", pageQuery), ...others]
  return select(
    connection,
    `SELECT ${listedColumns} FROM charlotte_runs r WHERE ${where(conditions)} AND r.pruned = 0 ORDER BY r.id DESC LIMIT ?`,
    [...paramsOf(conditions), pageQuery.limit]
  )
}

const withLabel = (
  connection: Connection,
  pageQuery: PageQuery,
  label: Label,
  others: ReadonlyArray<Condition> = []
) => {
  const conditions = [...isLabel(label), ...filters("l.run_id", pageQuery), ...others]
  return select(
    connection,
    `SELECT ${listedColumns} FROM charlotte_labels l CROSS JOIN charlotte_runs r
     WHERE r.id = l.run_id AND ${where(conditions)} AND r.pruned = 0 ORDER BY l.run_id DESC LIMIT ?`,
    [...paramsOf(conditions), pageQuery.limit]
  )
}

const selectReach = query(Schema.Struct({ runs: Schema.Number, oldest: nullable(JobId) }))

/** How many runs have a label, or how many there are, counted up to `maxScanned`, and the oldest counted. */
const reachOf = <L extends Label | undefined>(connection: Connection, pageQuery: PageQuery, label: L) => {
  const [from, conditions] =
    label === undefined
      ? ["r.id AS run_id FROM charlotte_runs r", filters("r.id", pageQuery)]
      : ["l.run_id FROM charlotte_labels l", [...isLabel(label), ...filters("l.run_id", pageQuery)]]
  return Effect.map(
    selectReach(
      connection,
      `SELECT count(*) AS runs, min(run_id) AS oldest FROM
         (SELECT ${from} WHERE ${where(conditions)} ORDER BY run_id DESC LIMIT ?) AS limited`,
      [...paramsOf(conditions), maxScanned]
    ),
    ([reach]) => ({ label, runs: reach?.runs ?? 0, oldest: reach?.oldest ?? undefined })
  )
}

type Reach = Effect.Effect.Success<ReturnType<typeof reachOf<Label>>>

/** The oldest run that a page may scan; undefined if the page may scan all runs. */
const boundOf = ({ oldest, runs }: Pick<Reach, "oldest" | "runs">): JobId | undefined =>
  runs < maxScanned ? undefined : oldest

const byRuns = Order.mapInput(Order.number, ({ runs }: Reach) => runs)

const page = (found: ReadonlyArray<Run>, limit: number, oldest?: JobId): RunPage => {
  const runs = found.slice(0, limit)
  const last = found.length > limit ? runs.at(-1)?.id : oldest
  return { runs, next: Option.fromNullable(last) }
}

const withLabels = (
  connection: Connection,
  pageQuery: PageQuery,
  limit: number,
  labels: Array.NonEmptyReadonlyArray<Label>
) =>
  Effect.gen(function* () {
    const reaches = yield* Effect.forEach(labels, (label) => reachOf(connection, pageQuery, label))
    const rarest = Array.min(reaches, byRuns)
    const others = Array.filter(labels, (other) => other !== rarest.label).map(hasLabel)
    const oldest = boundOf(rarest)
    const found = yield* withLabel(connection, pageQuery, rarest.label, [
      ...(oldest === undefined ? [] : [["l.run_id >= ?", oldest] as const]),
      ...others,
      ...isSettled(pageQuery)
    ])
    return page(found, limit, oldest)
  })

const bySettled = (connection: Connection, pageQuery: PageQuery, limit: number) =>
  Effect.gen(function* () {
    const oldest = boundOf(yield* reachOf(connection, pageQuery, undefined))
    const found = yield* withoutLabel(connection, pageQuery, [
      ...(oldest === undefined ? [] : [["r.id >= ?", oldest] as const]),
      ...isSettled(pageQuery)
    ])
    return page(found, limit, oldest)
  })

/** Reads one row more than the limit, to detect a next page. */
export const pageOf = (connection: Connection, query: PageQuery): Effect.Effect<RunPage, SqlError> => {
  const { labels = {}, limit } = query
  const pageQuery = { ...query, limit: limit + 1 }
  const [first, ...others] = Object.entries(labels)
  const isAny = isSettled(query).length === 0
  if (first === undefined) {
    return isAny
      ? Effect.map(withoutLabel(connection, pageQuery), (found) => page(found, limit))
      : bySettled(connection, pageQuery, limit)
  }
  return others.length === 0 && isAny
    ? Effect.map(withLabel(connection, pageQuery, first), (found) => page(found, limit))
    : withLabels(connection, pageQuery, limit, [first, ...others])
}
