/**
 * How much one page holds, and what may be asked of it: alike in every store.
 */
import { Effect, Predicate, Schema } from "effect"
import { StoreError } from "../domain/errors.js"
import { JobId } from "../domain/JobId.js"

/** Runs or events, however many are asked for. */
export const maxLength = 1_000

/** Bytes of the payloads of a page of events; one event that has more makes a page of its own. */
export const maxBytes = 1024 * 1024

interface Asked {
  readonly limit: number
  readonly after?: number | JobId | undefined
  readonly before?: JobId | undefined
}

const isId = Schema.is(JobId)
const isPosition = (value: unknown): boolean => Predicate.isNumber(value) && Number.isSafeInteger(value) && value >= 0

const shown = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value))

const problemOf = ({ after, before, limit }: Asked): string | undefined => {
  const wrong = (name: string, value: unknown) => `${name} must be a whole number, 0 or more, not ${shown(value)}`
  if (!isPosition(limit)) return wrong("limit", limit)
  if (after !== undefined && !isPosition(after) && !isId(after)) return wrong("after", after)
  return before === undefined || isId(before) ? undefined : `before must be the id of a job, not ${shown(before)}`
}

/** How many the page may hold. Fails with what is wrong with the question. */
export const limit = (operation: string, asked: Asked): Effect.Effect<number, StoreError> => {
  const problem = problemOf(asked)
  return problem === undefined
    ? Effect.succeed(Math.min(asked.limit, maxLength))
    : new StoreError({ operation, reason: "invalid", cause: new Error(problem) })
}

/** How many of the rows go into the page: as many as have room, and the first whose payload belongs to it in any case. */
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
