/**
 * Maps every failure of the database to a `StoreError`.
 */
import { Cause, Effect, ParseResult } from "effect"
import { StoreError } from "../../domain/errors.js"

const reasons: ReadonlyArray<readonly [RegExp, StoreError["reason"]]> = [
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, "busy"],
  [/^SQLITE_FULL/, "full"],
  [/^SQLITE_READONLY/, "readonly"],
  [/^SQLITE_(CORRUPT|NOTADB)/, "corrupt"],
  // Serialization failure, deadlock, lock not available.
  [/^(40001|40P01|55P03)$/, "busy"],
  [/^53100$/, "full"],
  [/^25006$/, "readonly"],
  [/^XX00[12]$/, "corrupt"],
  // Connection exceptions, the end of a server, too many connections, and what the network says.
  [/^(08...|57P0.|53300|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/, "unreachable"]
]

/** Failures of connections for which the driver of PostgreSQL has no code. */
const disconnected =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Connection timed out)/

/** The driver's error inside the wrappers of Effect; only that has a code. */
const root = (cause: unknown): unknown =>
  cause instanceof Error && "cause" in cause && cause.cause instanceof Error ? root(cause.cause) : cause

const code = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** The driver has no code for a closed connection. */
const isClosed = (cause: unknown): boolean =>
  cause instanceof Error && cause.message === "The database connection is not open"

export const reasonOf = (cause: unknown): StoreError["reason"] => {
  if (cause instanceof StoreError) return cause.reason
  const error = root(cause)
  if (isClosed(error)) return "closed"
  if (error instanceof Error && code(error) === "" && disconnected.test(error.message)) return "unreachable"
  // An undecodable row.
  return ParseResult.isParseError(error)
    ? "corrupt"
    : (reasons.find(([pattern]) => pattern.test(code(error)))?.[1] ?? "other")
}

/** The file system failed to report the state of a lock. */
export const isLockFailure = ({ cause }: StoreError): boolean =>
  /^SQLITE_IOERR_(LOCK|RDLOCK|CHECKRESERVEDLOCK)/.test(code(cause))

/** An error without a code of its own. Of a statement that is known to be right, it is the file that is damaged. */
export const isGeneric = (cause: unknown): boolean => code(root(cause)) === "SQLITE_ERROR"

/** @example `Effect.mapError(storeError("read a run"))` */
export const storeError =
  (operation: string) =>
  (cause: unknown): StoreError =>
    cause instanceof StoreError ? cause : new StoreError({ operation, reason: reasonOf(cause), cause: root(cause) })

/** Like `storeError`, for a whole cause: an exception of the driver is a failure of the database, not a defect. */
export const orStoreError =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StoreError, R> =>
    Effect.catchAllCause(effect, (cause) => Effect.fail(storeError(operation)(Cause.squash(cause))))
