/**
 * Reads the documents that have all words from partitions of the search index.
 */
import type { Connection } from "./Dialect.js"
import { Array, Effect, Order, Schema } from "effect"
import { partitionOf, term } from "./searchIndex.js"
import { query, type Value } from "./statements.js"

const selectDocuments = query(Schema.Struct({ documents: Schema.parseJson(Schema.Array(Schema.Number)) }))

/** The documents of a statement that returns them as one JSON array, which costs less than rows. */
export const documentsOf = (connection: Connection, sql: string, params: ReadonlyArray<Value>) =>
  Effect.map(selectDocuments(connection, sql, params), ([row]) => row?.documents ?? [])

/** A word of a query, the number of partitions in which it was looked up, and the number of documents found. */
export interface Word {
  readonly word: string
  partitions: number
  documents: number
}

const frequency = ({ documents, partitions }: Word): number => (partitions === 0 ? Infinity : documents / partitions)

/** The rarest word is first; among words that were not looked up yet, the longest. */
const rarestFirst = Order.combine(
  Order.mapInput(Order.number, frequency),
  Order.mapInput(Order.reverse(Order.number), ({ word }: Word) => word.length)
)

export type ByPartition = { readonly [partition: string]: ReadonlyArray<number> }

export const byPartition = (documents: ReadonlyArray<number>): ByPartition =>
  Array.groupBy(documents, (document) => String(partitionOf(document)))

/** The documents in these partitions that have all words, and how many were read. With `few`, only documents among them. */
export const inPartitions = (
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
      const within = left === undefined ? partitions : new Set(left.map(partitionOf))
      const terms = Array.fromIterable(within).map((partition) => term(partition, word.word))
      const [sql, ...params] = connection.dialect.documentsWith(terms)
      const documents = yield* documentsOf(connection, sql, params)
      read += documents.length
      word.documents += documents.length
      word.partitions += terms.length
      const found = new Set(documents)
      left = left?.filter((document) => found.has(document)) ?? documents
      if (left.length === 0) break
    }
    return { documents: left ?? [], read }
  })
