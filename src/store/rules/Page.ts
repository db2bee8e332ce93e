/**
 * Page limits and validation of page queries, shared by both databases.
 */
import { Array, Effect, Option, Order, Predicate, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RunPage, RunQuery } from "../port/RunStoreService.js"
import { maxQueryLength } from "./searchText.js"

/** Maximum number of runs or events in a page. */
export const maxLength = 1_000

/** Maximum payload bytes in a page of events; a larger event gets a separate page. */
export const maxBytes = 1024 * 1024

interface PageQuery {
  readonly limit: number
  readonly after?: number | JobId | undefined
  readonly before?: JobId | undefined
  readonly q?: string | undefined
}

const isId = Schema.is(JobId)
const isPosition = (value: unknown): boolean => Predicate.isNumber(value) && Number.isSafeInteger(value) && value >= 0

const quote = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value))

const problemOf = ({ after, before, limit, q }: PageQuery): string | undefined => {
  const invalidNumber = (name: string, value: unknown) =>
    `${name} must be a whole number, 0 or more, not ${quote(value)}`
  if (!isPosition(limit)) return invalidNumber("limit", limit)
  if (after !== undefined && !isPosition(after) && !isId(after)) return invalidNumber("after", after)
  if (before !== undefined && !isId(before)) return `before must be a job id, not ${quote(before)}`
  if (q === undefined) return undefined
  if (!Predicate.isString(q)) return `q must be a text, not ${quote(q)}`
  return q.length <= maxQueryLength ? undefined : `q must be at most ${maxQueryLength} characters, not ${q.length}`
}

/** The kind whose queue order the page follows, if any; fails if other filters contradict that. */
export const queueOf = ({
  kind,
  labels = {},
  order,
  q = "",
  retried,
  status
}: RunQuery): Effect.Effect<Option.Option<string>, StoreError> => {
  if (order === undefined) return Effect.succeedNone
  return kind !== undefined &&
    status === "pending" &&
    Object.keys(labels).length === 0 &&
    q === "" &&
    retried === undefined
    ? Effect.succeedSome(kind)
    : new StoreError({
        operation: "list runs",
        reason: "invalid",
        cause: new Error("the order of the queue needs a kind and the status pending, and goes with no other filter")
      })
}

/** The number of rows in the page; fails and names what is invalid in the query. */
export const limit = (operation: string, query: PageQuery): Effect.Effect<number, StoreError> => {
  const problem = problemOf(query)
  return problem === undefined
    ? Effect.succeed(Math.min(query.limit, maxLength))
    : new StoreError({ operation, reason: "invalid", cause: new Error(problem) })
}

/** How many rows fit into the page: at least up to the first row that has a payload. */
export const fitting = <Row>(rows: ReadonlyArray<Row>, bytesOf: (row: Row) => number): number => {
  let size = 0
  const end = rows.findIndex((row) => {
    const bytes = bytesOf(row)
    const isOver = size > 0 && bytes > 0 && size + bytes > maxBytes
    size += bytes
    return isOver
  })
  return end === -1 ? rows.length : end
}

const newestFirst = (a: Run, b: Run): number => (a.id < b.id ? 1 : -1)

/** Merges pages of several queries. Runs older than the `next` of any of them are left to a later page. */
export const merged =
  (limit: number) =>
  (pages: ReadonlyArray<RunPage>): RunPage => {
    const reach = Array.sort(Array.getSomes(pages.map(({ next }) => next)), Order.string).at(-1)
    const read = pages.flatMap(({ runs }) => runs).filter(({ id }) => reach === undefined || id >= reach)
    const runs = read.sort(newestFirst).slice(0, limit)
    return { runs, next: Option.fromNullable(runs.length < read.length ? runs.at(-1)?.id : reach) }
  }
