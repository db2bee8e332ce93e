import { Effect, Schedule } from "effect"
import type { StoreError, Superseded } from "../../domain/errors.js"

export type WriteError = StoreError | Superseded

/** Retries while the disk is full or the database is locked: neither may fail hours of work. */
export const retryWrite = <A>(write: Effect.Effect<A, WriteError>): Effect.Effect<A, WriteError> =>
  Effect.retry(write, {
    while: (error) => error._tag === "StoreError" && (error.reason === "full" || error.reason === "busy"),
    schedule: Schedule.union(Schedule.exponential("100 millis"), Schedule.spaced("5 seconds"))
  })
