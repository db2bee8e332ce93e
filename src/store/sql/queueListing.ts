/**
 * Pages of the pending runs of a kind, in the order in which they begin: first the runs that wait for a permit, then for their group, for a time, then
 * behind a key. Each page is a few index searches.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RunPage } from "../port/RunStoreService.js"
import { listedColumns, select } from "./runRow.js"
import { nullable, query, type Value } from "./statements.js"

const selectPosition = query(
  Schema.Struct({
    waits_for: nullable(Schema.String),
    priority: Schema.Number,
    due_at: nullable(Schema.Number)
  })
)

/** A condition in addition to kind and status, the order, and the parameters. */
type Search = readonly [condition: string, order: string, ...params: ReadonlyArray<Value>]

const forPermit: Search = ["waits_for = 'permit'", "priority DESC, id"]
const forGroup: Search = ["waits_for = 'group'", "priority DESC, id"]
const forTime: Search = ["waits_for = 'time'", "due_at, id"]
const behindKey: Search = ["waits_for = 'key'", "id"]

const searchesFrom = (connection: Connection, before: JobId | undefined) =>
  before === undefined
    ? Effect.succeed<ReadonlyArray<Search>>([forPermit, forGroup, forTime, behindKey])
    : Effect.map(
        selectPosition(connection, "SELECT waits_for, priority, due_at FROM charlotte_runs WHERE id = ?", [before]),
        ([row]): ReadonlyArray<Search> => {
          switch (row?.waits_for) {
            case "time":
              return [["waits_for = 'time' AND (due_at, id) > (?, ?)", "due_at, id", row.due_at, before], behindKey]
            case "key":
              return [["waits_for = 'key' AND id > ?", "id", before]]
            case "group":
              return [
                ["waits_for = 'group' AND priority = ? AND id > ?", "id", row.priority, before],
                ["waits_for = 'group' AND priority < ?", "priority DESC, id", row.priority],
                forTime,
                behindKey
              ]
            default: {
              // This also covers a run that has begun meanwhile: it was among the runs that waited for a permit.
              const priority = row?.priority ?? 0
              return [
                ["waits_for = 'permit' AND priority = ? AND id > ?", "id", priority, before],
                ["waits_for = 'permit' AND priority < ?", "priority DESC, id", priority],
                forGroup,
                forTime,
                behindKey
              ]
            }
          }
        }
      )

export const pageOf = (
  connection: Connection,
  { before, kind, limit }: { readonly kind: string; readonly limit: number; readonly before?: JobId | undefined }
): Effect.Effect<RunPage, SqlError> =>
  Effect.gen(function* () {
    const found: Array<Run> = []
    for (const [condition, order, ...params] of yield* searchesFrom(connection, before)) {
      // One row more than the limit shows that there is a next page.
      const left = limit + 1 - found.length
      if (left === 0) break
      const runs = yield* select(
        connection,
        `SELECT ${listedColumns} FROM charlotte_runs r WHERE kind = ? AND status = 'pending' AND ${condition}
         ORDER BY ${order} LIMIT ?`,
        [kind, ...params, left]
      )
      found.push(...runs)
    }
    const runs = found.slice(0, limit)
    return { runs, next: Option.fromNullable(found.length > limit ? runs.at(-1)?.id : undefined) }
  })
