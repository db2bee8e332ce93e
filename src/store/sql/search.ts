/**
 * Pages of the runs that have all words of a text. The partitions of the index are read from the newest on, until the page is
 * full, so that neither a word that all runs have nor one that few have makes a query read the whole history.
 */
import { Array, Effect, Option, Order, Schema } from "effect"
import type { SqlError } from "@effect/sql/SqlError"
import type { Connection } from "@effect/sql/SqlConnection"
import type { StoreError } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import type { RunPage, RunQuery } from "../RunStoreService.js"
import { matches } from "../searchText.js"
import { columns, select } from "./runRow.js"
import * as searchIndex from "./searchIndex.js"
import { query, type Session, type Value } from "./Session.js"

type SearchQuery = RunQuery & { readonly limit: number }

/** Maximum number of documents that a page reads for its words, about 0.1 s; it may be short then. */
const maxRead = 250_000

/** Maximum number of runs with the words that a page holds against the other filters. */
const maxFiltered = 10_000

/** Partitions that a statement reads, and below how many documents the next one reads more of them. */
const maxStep = 16
const fewDocuments = 4_096

/** An SQL condition and its parameters. */
type Condition = readonly [sql: string, ...params: ReadonlyArray<Value>]

const where = (conditions: ReadonlyArray<Condition>) => conditions.map(([sql]) => sql).join(" AND ")
const paramsOf = (conditions: ReadonlyArray<Condition>) => conditions.flatMap(([, ...params]) => params)

/** Conditions on runs `r`. */
const conditions = ({ before, kind, labels = {}, status }: SearchQuery): ReadonlyArray<Condition> => [
  ["r.pruned = 0"],
  ...(kind === undefined ? [] : [["r.kind = ?", kind] as const]),
  ...(status === undefined ? [] : [["r.status = ?", status] as const]),
  ...(before === undefined ? [] : [["r.id < ?", before] as const]),
  ...Object.entries(labels).map(
    ([name, value]) =>
      [
        "EXISTS (SELECT 1 FROM charlotte_labels l WHERE l.name = ? AND l.value = ? AND l.run_id = r.id)",
        name,
        value
      ] as const
  )
]

const selectTexts = query(searchIndex.TextRow)
const selectIds = query(Schema.Struct({ id: JobId }))
/** The first partition begins before every id. */
const FirstId = Schema.Union(JobId, Schema.Literal(""))
const selectPartitions = query(Schema.Struct({ partition: Schema.Number, first_id: FirstId }))
const selectDocuments = query(Schema.Struct({ documents: Schema.parseJson(Schema.Array(Schema.Number)) }))
const selectCount = query(Schema.Struct({ runs: Schema.Number }))

/** Runs that are not indexed, or not with all that was written since. */
const unindexed = (connection: Connection, pageQuery: SearchQuery, words: ReadonlyArray<string>) => {
  const filters = conditions(pageQuery)
  return Effect.map(
    selectTexts(
      connection,
      `SELECT ${searchIndex.textColumns} FROM charlotte_unindexed u CROSS JOIN charlotte_runs r ON r.id = u.run_id
       WHERE ${where(filters)}`,
      paramsOf(filters)
    ),
    (rows) => rows.filter((row) => matches(words, searchIndex.searched(row))).map(({ id }) => id)
  )
}

const documentsOf = (connection: Connection, sql: string, params: ReadonlyArray<Value>) =>
  Effect.map(selectDocuments(connection, sql, params), ([row]) => row?.documents ?? [])

/** A word of the query, in how many partitions it was looked up, and how many documents they had. */
interface Word {
  readonly word: string
  partitions: number
  documents: number
}

const frequency = ({ documents, partitions }: Word): number => (partitions === 0 ? Infinity : documents / partitions)

/** Of words that were not looked up yet, the long ones first. */
const rarestFirst = Order.combine(
  Order.mapInput(Order.number, frequency),
  Order.mapInput(Order.reverse(Order.number), ({ word }: Word) => word.length)
)

type ByPartition = { readonly [partition: string]: ReadonlyArray<number> }

const byPartition = (documents: ReadonlyArray<number>): ByPartition =>
  Array.groupBy(documents, (document) => String(searchIndex.partitionOf(document)))

/** The documents of these partitions that have all words, and how many were read. With `few`, those among them. */
const inPartitions = (
  connection: Connection,
  partitions: ReadonlyArray<number>,
  words: ReadonlyArray<Word>,
  few: ByPartition | undefined
) =>
  Effect.gen(function* () {
    let left: ReadonlyArray<number> | undefined =
      few === undefined ? undefined : partitions.flatMap((partition) => few[String(partition)] ?? [])
    let read = 0
    for (const word of Array.sort(words, rarestFirst)) {
      const within = left === undefined ? partitions : new Set(left.map(searchIndex.partitionOf))
      // A term has letters and digits only: none of the query language.
      const terms = Array.fromIterable(within).map((partition) => `"${searchIndex.term(partition, word.word)}"*`)
      const documents = yield* documentsOf(
        connection,
        `SELECT json_group_array(s.rowid) AS documents
         FROM json_each(?) t CROSS JOIN charlotte_search s ON s.charlotte_search MATCH t.value`,
        [JSON.stringify(terms)]
      )
      read += documents.length
      word.documents += documents.length
      word.partitions += terms.length
      const found = new Set(documents)
      left = left?.filter((document) => found.has(document)) ?? documents
      if (left.length === 0) break
    }
    return { documents: left ?? [], read }
  })

/** The newest of these documents that match the filters. */
const filtered = (connection: Connection, pageQuery: SearchQuery, documents: ReadonlyArray<number>) => {
  const filters = conditions(pageQuery)
  return Effect.map(
    selectIds(
      connection,
      `SELECT r.id FROM json_each(?) m CROSS JOIN charlotte_documents d ON d.document = m.value
         CROSS JOIN charlotte_runs r ON r.id = d.run_id
       WHERE ${where(filters)} ORDER BY r.id DESC LIMIT ?`,
      [JSON.stringify(documents), ...paramsOf(filters), pageQuery.limit]
    ),
    Array.map(({ id }) => id)
  )
}

/** The documents of runs with these filters, by partition, if they are few. */
const narrowed = (connection: Connection, { before, kind, labels = {}, status }: SearchQuery) =>
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
      return Effect.map(selectCount(connection, `SELECT count(*) AS runs FROM (${sql})`, params), ([row]) => ({
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
      `SELECT json_group_array(d.document) AS documents
       FROM (${fewest.sql}) f CROSS JOIN charlotte_documents d ON d.run_id = f.run_id`,
      fewest.params
    )
    return byPartition(documents)
  })

/** A page of the runs that have these words, which are not none. */
export const page = (
  session: Session,
  pageQuery: SearchQuery,
  of: ReadonlyArray<string>
): Effect.Effect<RunPage, StoreError> =>
  Effect.gen(function* () {
    const read = <A>(use: (connection: Connection) => Effect.Effect<A, SqlError>) =>
      // Writes have their turn between two partitions.
      Effect.zipLeft(session.read("search runs", use), Effect.yieldNow())
    const { limit } = pageQuery
    const withNext = { ...pageQuery, limit: limit + 1 }
    const words = of.map((word): Word => ({ word, partitions: 0, documents: 0 }))
    // First, since a run is in both while it is indexed meanwhile, and never in none.
    const fresh = yield* read((connection) => unindexed(connection, pageQuery, of))
    const partitions = yield* read((connection) =>
      selectPartitions(
        connection,
        "SELECT partition, first_id FROM charlotte_partitions WHERE first_id < ? ORDER BY first_id DESC",
        [pageQuery.before ?? "~"]
      )
    )
    const matching = new Set<JobId>()
    let [documentsRead, runsFiltered] = [0, 0]
    let reach: JobId | undefined
    let few: Option.Option<ByPartition> | undefined
    for (let i = 0, size = 1; i < partitions.length;) {
      const step = partitions.slice(i, i + size)
      // The first is often enough.
      if (i > 0) few ??= Option.fromNullable(yield* read((connection) => narrowed(connection, pageQuery)))
      const found = yield* read((connection) =>
        inPartitions(
          connection,
          step.map(({ partition }) => partition),
          words,
          few && Option.getOrUndefined(few)
        )
      )
      const ids =
        found.documents.length === 0 ? [] : yield* read((connection) => filtered(connection, withNext, found.documents))
      for (const id of ids) matching.add(id)
      const begin = step.at(-1)?.first_id ?? ""
      for (const id of fresh) if (id >= begin) matching.add(id)
      documentsRead += found.read
      runsFiltered += found.documents.length
      if (matching.size > limit) break
      if ((documentsRead > maxRead || runsFiltered > maxFiltered) && begin !== "") {
        reach = begin
        break
      }
      i += size
      size = found.read < fewDocuments ? Math.min(size * 4, maxStep) : 1
    }
    if (partitions.length === 0) for (const id of fresh) matching.add(id)

    const ids = Array.sort(matching, Order.reverse(Order.string)).slice(0, limit + 1)
    const filters = conditions(pageQuery)
    const runs = yield* read((connection) =>
      select(
        connection,
        `SELECT ${columns} FROM charlotte_runs r WHERE r.id IN (SELECT value FROM json_each(?))
           AND ${where(filters)} ORDER BY r.id DESC`,
        [JSON.stringify(ids.slice(0, limit)), ...paramsOf(filters)]
      )
    )
    return { runs, next: Option.fromNullable(ids.length > limit ? ids[limit - 1] : reach) }
  })
