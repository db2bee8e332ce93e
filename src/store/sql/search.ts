/**
 * Pages of the runs that have all words of a text. The partitions of the index are read from the newest on, until the page is
 * full, so that neither a word that all runs have nor a word that few have makes a query read the whole history.
 */
import { Array, Effect, Option, Order, Schema } from "effect"
import type { SqlError } from "@effect/sql/SqlError"
import type { Connection } from "./Dialect.js"
import type { StoreError } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import type { RunPage } from "../port/RunStoreService.js"
import type { SearchRedaction } from "../rules/SearchRedaction.js"
import { matches } from "../rules/searchText.js"
import { listedColumns, select } from "./runRow.js"
import * as searchIndex from "./searchIndex.js"
import { conditions, filtered, maxFiltered, narrowed, paramsOf, type SearchQuery, where } from "./searchFilters.js"
import { type ByPartition, inPartitions, type Word } from "./searchPartitions.js"
import type { Session } from "./Session.js"
import { query } from "./statements.js"

/** Maximum number of documents that a page reads for its words, about 0.1 s; the page may then be short. */
const maxRead = 250_000

/** Maximum partitions per statement, and the number of documents below which the next statement reads more of them. */
const maxStep = 16
const fewDocuments = 4_096

/** Maximum number of unindexed runs that a page searches one by one, about 0.1 s, and how many of them a statement reads. */
const maxUnindexed = 4_096
const unindexedStep = 512

const selectIds = query(Schema.Struct({ run_id: JobId }))
const selectTexts = query(searchIndex.TextRow)
/** The first partition begins before every id. */
const FirstId = Schema.Union(JobId, Schema.Literal(""))
const selectPartitions = query(Schema.Struct({ partition: Schema.Number, first_id: FirstId }))

type Read = <A>(use: (connection: Connection) => Effect.Effect<A, SqlError>) => Effect.Effect<A, StoreError>

/**
 * Runs that are unindexed, or were written since they were indexed, from the newest on. A migration leaves many: then a page that has
 * read enough of them ends at `reach`.
 */
const unindexed = (read: Read, pageQuery: SearchQuery, words: ReadonlyArray<string>, redact: SearchRedaction["Type"]) =>
  Effect.gen(function* () {
    const filters = conditions(pageQuery)
    const found: Array<JobId> = []
    let before: string = pageQuery.before ?? "~"
    for (let done = 0; done < maxUnindexed; done += unindexedStep) {
      const unread = yield* read((connection) =>
        selectIds(connection, "SELECT run_id FROM charlotte_unindexed WHERE run_id < ? ORDER BY run_id DESC LIMIT ?", [
          before,
          unindexedStep
        ])
      )
      const oldest = unread.at(-1)?.run_id
      if (oldest === undefined) return { found, reach: undefined }
      const rows = yield* read((connection) =>
        selectTexts(
          connection,
          `SELECT ${searchIndex.textColumns(connection.dialect)}
           FROM ${connection.dialect.strings} ids CROSS JOIN charlotte_runs r
           WHERE r.id = ids.value AND ${where(filters)}`,
          [JSON.stringify(unread.map(({ run_id }) => run_id)), ...paramsOf(filters)]
        )
      )
      for (const row of rows) if (matches(words, searchIndex.searched(row, redact))) found.push(row.id)
      if (unread.length < unindexedStep) return { found, reach: undefined }
      before = oldest
      if (found.length > pageQuery.limit) return { found, reach: oldest }
    }
    return { found, reach: JobId.make(before) }
  })

/** A page of the runs that have all of these words; there is at least one. */
export const page = (
  session: Session,
  pageQuery: SearchQuery,
  of: ReadonlyArray<string>,
  redact: SearchRedaction["Type"]
): Effect.Effect<RunPage, StoreError> =>
  Effect.gen(function* () {
    const read: Read = (use) =>
      // The yield lets writes run between two partitions.
      Effect.zipLeft(session.read("search runs", use), Effect.yieldNow())
    const { limit } = pageQuery
    const withNext = { ...pageQuery, limit: limit + 1 }
    const words = of.map((word): Word => ({ word, partitions: 0, documents: 0 }))
    // Unindexed runs come first: a run indexed meanwhile is found in both reads, and never in neither.
    const { found: fresh, reach: freshReach } = yield* unindexed(read, pageQuery, of, redact)
    const partitions = yield* read((connection) =>
      selectPartitions(
        connection,
        "SELECT partition, first_id FROM charlotte_partitions WHERE first_id < ? ORDER BY first_id DESC",
        [pageQuery.before ?? "~"]
      )
    )
    const matching = new Set<JobId>()
    let [documentsRead, runsFiltered] = [0, 0]
    let reach = freshReach
    let few: Option.Option<ByPartition> | undefined
    for (let i = 0, size = 1; i < partitions.length;) {
      const step = partitions.slice(i, i + size)
      // The first partition is often enough.
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
      if (matching.size > limit || (reach !== undefined && begin <= reach)) break
      if ((documentsRead > maxRead || runsFiltered > maxFiltered) && begin !== "") {
        reach = begin
        break
      }
      i += size
      size = found.read < fewDocuments ? Math.min(size * 4, maxStep) : 1
    }
    if (partitions.length === 0) for (const id of fresh) matching.add(id)

    // Older runs are left to the next page.
    const reached = [...matching].filter((id) => reach === undefined || id >= reach)
    const ids = Array.sort(reached, Order.reverse(Order.string)).slice(0, limit + 1)
    const filters = conditions(pageQuery)
    const runs = yield* read((connection) =>
      select(
        connection,
        `SELECT ${listedColumns} FROM charlotte_runs r WHERE r.id IN (SELECT value FROM ${connection.dialect.strings} ids)
           AND ${where(filters)} ORDER BY r.id DESC`,
        [JSON.stringify(ids.slice(0, limit)), ...paramsOf(filters)]
      )
    )
    return { runs, next: Option.fromNullable(ids.length > limit ? ids[limit - 1] : reach) }
  })
