/**
 * Whatever a database throws becomes one `StoreError` here, at the seam.
 */
import { Cause, Effect } from "effect"
import { StoreError } from "../domain/errors.js"

const reasons: ReadonlyArray<readonly [RegExp, StoreError["reason"]]> = [
  [/^SQLITE_(BUSY|LOCKED)/, "busy"],
  [/^SQLITE_FULL/, "full"],
  [/^SQLITE_READONLY/, "readonly"],
  [/^SQLITE_(CORRUPT|NOTADB)/, "corrupt"]
]

/** The error of the driver inside whatever Effect made of it; it alone has a code. */
const root = (cause: unknown): unknown =>
  cause instanceof Error && "cause" in cause && cause.cause instanceof Error ? root(cause.cause) : cause

const code = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

export const reasonOf = (cause: unknown): StoreError["reason"] =>
  cause instanceof StoreError
    ? cause.reason
    : (reasons.find(([pattern]) => pattern.test(code(root(cause))))?.[1] ?? "other")

/** @example `Effect.mapError(storeError("read a run"))` */
export const storeError =
  (operation: string) =>
  (cause: unknown): StoreError =>
    cause instanceof StoreError ? cause : new StoreError({ operation, reason: reasonOf(cause), cause: root(cause) })

/** The same for a whole cause: a driver that throws where it should have failed is a failing database, not a bug of ours. */
export const orStoreError =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StoreError, R> =>
    Effect.catchAllCause(effect, (cause) => Effect.fail(storeError(operation)(Cause.squash(cause))))
