import { Effect, Schedule } from "effect"
import { StoreError } from "../../domain/errors.js"

/** A temporary failure (a full, locked or unreachable database) must not fail hours of work. */
const isTemporary = (error: unknown): boolean =>
  error instanceof StoreError && ["busy", "full", "readonly", "unreachable"].includes(error.reason)

/** Retries while the reason is temporary: no space, a read-only disk, another program's lock, a server that is unreachable. */
export const retryWrite = <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(write, {
    while: isTemporary,
    schedule: Schedule.union(Schedule.exponential("100 millis"), Schedule.spaced("5 seconds"))
  })
