/**
 * What decides whether jobs of a cluster begin, read once for all writes of a batch: with reads for each of them, a batch of 100 starts
 * took 600 round trips.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { Permits } from "../placeRun.js"
import type { Batch } from "./Batch.js"
import * as cluster from "./cluster.js"

export interface Counted {
  readonly permits: Permits<SqlError>
  /** One more job runs on an address. */
  readonly begun: (address: string) => void
}

/** Reads something once for each key of a batch. */
const oncePerBatch = <A>(read: (batch: Batch, key: string) => Effect.Effect<A, SqlError>) => {
  const known = new WeakMap<Batch, Map<string, A>>()
  return (batch: Batch, key: string): Effect.Effect<A, SqlError> => {
    const values = known.get(batch) ?? new Map<string, A>()
    known.set(batch, values)
    const value = values.get(key)
    return value === undefined
      ? Effect.tap(read(batch, key), (value) => Effect.sync(() => values.set(key, value)))
      : Effect.succeed(value)
  }
}

export const make = () => {
  const isAlive = oncePerBatch((batch, node) =>
    Effect.flatMap(batch.connection, (connection) => cluster.hasSignOfLife(connection, node))
  )
  const takesJobs = oncePerBatch((batch, node) => cluster.permits(batch.connection).takesJobs(node))

  /**
   * Under the lock of the kind: as it was before this batch, with the jobs that have begun since. What ends in the same transaction has not
   * ended yet for anyone.
   */
  const counted = oncePerBatch<Counted>((batch, kind) =>
    Effect.gen(function* () {
      const connection = yield* batch.connection
      yield* connection.dialect.lockAdmission(connection, kind)
      const reads = cluster.permits(batch.connection)
      const maxJobs = yield* reads.maxJobs(kind)
      const running = new Map(yield* reads.running(kind))
      const due = new Map<string, boolean>()
      return {
        permits: {
          maxJobs: () => Effect.succeed(maxJobs),
          running: () => Effect.succeed(running),
          takesJobs: (node) => takesJobs(batch, node),
          hasDue: (kind, statuses) => {
            const known = due.get(statuses.join())
            return known === undefined
              ? Effect.tap(reads.hasDue(kind, statuses), (hasDue) =>
                  Effect.sync(() => due.set(statuses.join(), hasDue))
                )
              : Effect.succeed(known)
          }
        },
        begun: (address) => void running.set(address, (running.get(address) ?? 0) + 1)
      }
    })
  )
  return { counted, isAlive }
}
