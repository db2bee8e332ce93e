/**
 * Writes the search index: the words of runs in `charlotte_search`, each with the number of the run's partition in front.
 */
import type { Connection, Dialect, Terms } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { SearchRedaction } from "../rules/SearchRedaction.js"
import { Override, type Searched, wordsOf } from "../rules/searchText.js"
import { Row } from "./runRow.js"
import { columnsOf, execute, inserter, nullable, query, upsert } from "./statements.js"

/** Runs of a partition: a query reads all of them that have its words, and visits each partition even if none has. */
const partitionSize = 4_096

/** A row that a statement selects by `textColumns` from `charlotte_runs r`. */
export const TextRow = Schema.Struct({
  id: JobId,
  labels: Row.fields.labels,
  config: Row.fields.config,
  searched: nullable(Override),
  error: Row.fields.error,
  titles: Schema.parseJson(Schema.Array(Schema.String))
})

export const textColumns = ({ arrayOf }: Dialect): string =>
  `r.id, r.labels, r.config, r.searched, r.error,
  (SELECT ${arrayOf("title")} FROM charlotte_tasks WHERE job_id = r.id) AS titles`

/** The searchable parts of a run. */
export const searched = (
  { config, error, labels, searched, titles }: typeof TextRow.Type,
  redact: SearchRedaction["Type"]
): Searched => {
  const all = { labels, config, ...searched, error: error ?? undefined, titles }
  return searched === null ? redact(all) : all
}

/** The term of a word in a partition. */
export const term = (partition: number, word: string): string => `${partition.toString(36).padStart(4, "0")}${word}`

const partitionFactor = 2 ** 32

export const partitionOf = (document: number): number => Math.floor(document / partitionFactor)

const Partition = Schema.Struct({
  partition: Schema.Number,
  first_id: Schema.String,
  last_id: Schema.String,
  documents: Schema.Number
})
type Partition = typeof Partition.Type

const selectIds = query(Schema.Struct({ run_id: Schema.String }))
const selectUnindexed = query(Schema.Struct({ ...TextRow.fields, document: nullable(Schema.Number) }))
const selectPartition = query(Partition)
const insertDocuments = inserter("charlotte_documents", ["document", "run_id"])

/** The last partition with one more run: the same, or the next if it is full and the run is newer than all of its runs. */
const grown = (last: Partition | undefined, id: JobId, size: number): Partition => {
  if (last === undefined) return { partition: 0, first_id: "", last_id: id, documents: 1 }
  return last.documents >= size && id > last.last_id
    ? { partition: last.partition + 1, first_id: id, last_id: id, documents: 1 }
    : { ...last, last_id: id > last.last_id ? id : last.last_id, documents: last.documents + 1 }
}

const save = (connection: Connection, partition: Partition) =>
  upsert(connection, "charlotte_partitions", { ...partition })

/** Indexes up to `limit` runs that were written since they were last indexed, the oldest first. Returns how many. */
export const indexNext = (
  connection: Connection,
  limit: number,
  redact: SearchRedaction["Type"],
  size = partitionSize
): Effect.Effect<number, SqlError> =>
  Effect.gen(function* () {
    const { dialect } = connection
    yield* dialect.lockSearch(connection)
    const unindexed = yield* selectIds(
      connection,
      `SELECT run_id FROM charlotte_unindexed ORDER BY run_id LIMIT ?${dialect.forUpdate}`,
      [limit]
    )
    if (unindexed.length === 0) return 0
    const ids = JSON.stringify(unindexed.map(({ run_id }) => run_id))
    // The rows are read after they are locked: a later write to a run makes it unindexed again.
    const rows = yield* selectUnindexed(
      connection,
      `SELECT ${textColumns(dialect)}, d.document FROM charlotte_runs r LEFT JOIN charlotte_documents d ON d.run_id = r.id
       WHERE r.id IN (SELECT value FROM ${dialect.strings} ids) ORDER BY r.id`,
      [ids]
    )
    const read = (condition: string, params: ReadonlyArray<string>) =>
      Effect.map(
        selectPartition(
          connection,
          `SELECT ${columnsOf(Partition)} FROM charlotte_partitions ${condition}
           ORDER BY first_id DESC LIMIT 1`,
          params
        ),
        ([partition]) => partition
      )
    let last = yield* read("", [])

    /** Assigns a document number to a run that has none yet. */
    const place = (id: JobId) =>
      Effect.gen(function* () {
        const isOlder = last !== undefined && id < last.first_id
        const before = isOlder ? yield* read("WHERE first_id <= ?", [id]) : last
        const after = isOlder ? grown(before, id, Infinity) : grown(before, id, size)
        if (isOlder) yield* save(connection, after)
        else {
          if (before !== undefined && after.partition !== before.partition) yield* save(connection, before)
          last = after
        }
        return after.partition * partitionFactor + after.documents
      })

    const stale: Array<number> = []
    const documents: Array<{ readonly document: number; readonly run_id: JobId }> = []
    const indexed: Array<Terms> = []
    for (const row of rows) {
      const document = row.document ?? (yield* place(row.id))
      if (row.document === null) documents.push({ document, run_id: row.id })
      else stale.push(document)
      const terms = Array.from(wordsOf(searched(row, redact)), (word) => term(partitionOf(document), word))
      indexed.push({ rowid: document, words: terms.join(" ") })
    }
    if (last !== undefined) yield* save(connection, last)
    if (stale.length > 0) {
      yield* execute(
        connection,
        `DELETE FROM charlotte_search WHERE rowid IN (SELECT value FROM ${dialect.numbers} n)`,
        [JSON.stringify(stale)]
      )
    }
    yield* insertDocuments(connection, documents)
    yield* dialect.insertTerms(connection, indexed)
    yield* execute(
      connection,
      `DELETE FROM charlotte_unindexed WHERE run_id IN (SELECT value FROM ${dialect.strings} ids)`,
      [ids]
    )
    return unindexed.length
  })
