/**
 * Reads the data that decides whether jobs of a cluster may begin, once for all writes of a batch: with reads for each write, a batch
 * of 100 starts took 600 round trips.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { Room, WaitingStatus } from "../rules/placeRun.js"
import type { Batch } from "./Batch.js"
import * as cluster from "./cluster.js"

export interface Counted {
  readonly room: Room
  /** Counts one more job that runs on an address, and one less that waits, if it has waited. */
  readonly begun: (address: string, waited?: WaitingStatus) => void
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

export const make = () => ({
  isAlive: oncePerBatch((batch, node) =>
    Effect.flatMap(batch.connection, (connection) => cluster.hasSignOfLife(connection, node))
  ),

  /**
   * The room for jobs of a kind, under the lock of the kind: the room before this batch, less the jobs that it has begun. Jobs that end
   * in the same transaction still count.
   */
  counted: oncePerBatch<Counted>((batch, kind) =>
    Effect.gen(function* () {
      const connection = yield* batch.connection
      yield* batch.lockAdmission(kind)
      const room = yield* cluster.room(connection, kind)
      const running = new Map(room.running)
      const due = new Map(room.due)
      return {
        room: { ...room, running, due },
        begun: (address, waited) => {
          running.set(address, (running.get(address) ?? 0) + 1)
          if (waited !== undefined) due.set(waited, Math.max(0, (due.get(waited) ?? 0) - 1))
        }
      }
    })
  )
})
