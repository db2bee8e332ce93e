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
  // Connection exceptions, the end of a server, too many connections, and errors of the network.
  [/^(08...|57P0.|53300|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/, "unreachable"]
]

/** The remedies for errors of PostgreSQL; the errors themselves name the statement or the network. */
const remedies: ReadonlyArray<readonly [RegExp, string]> = [
  [/^55P03$/, "another transaction holds a lock for too long; end it (see pg_stat_activity), and try again"],
  [/^(40001|40P01)$/, "try the transaction again"],
  [/^53100$/, "free space on the disk of the database server"],
  [/^25006$/, "connect to the primary server, and see that default_transaction_read_only is off there"],
  [/^XX00[12]$/, "stop the server, check its disk, and restore a backup"],
  [/^53300$/, "raise max_connections of the server, or lower maxConnections here"],
  [/^28/, "check the user, and the password in PGPASSWORD or PGPASSFILE"],
  [/^3D000$/, "create it with: createdb -E UTF8 -T template0"],
  [/^42501$/, "grant the user CREATE and USAGE on the schema, and its tables"]
]

const reconnect = "start the database server, or check its address"

/** Unique indexes that reject a write of another process since the lookup, of a key or the first table: a retry finds it. */
const found = /^(charlotte_runs_(held_(start_)?key|idempotency_key)|pg_(type_typname|class_relname)_nsp_index)$/

/** Failures of connections for which the driver of PostgreSQL has no code. */
const disconnected =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Connection timed out)/

/** The driver's error inside the wrappers of Effect; only the driver's error has a code. */
const root = (cause: unknown): unknown =>
  cause instanceof Error && "cause" in cause && cause.cause instanceof Error ? root(cause.cause) : cause

const code = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Whether the connection is closed, for which the driver has no code. */
const isClosed = (cause: unknown): boolean =>
  cause instanceof Error && cause.message === "The database connection is not open"

const isFoundNext = (error: Error): boolean =>
  code(error) === "23505" &&
  "constraint" in error &&
  typeof error.constraint === "string" &&
  found.test(error.constraint)

export const reasonOf = (cause: unknown): StoreError["reason"] => {
  if (cause instanceof StoreError) return cause.reason
  const error = root(cause)
  if (isClosed(error)) return "closed"
  if (error instanceof Error && code(error) === "" && disconnected.test(error.message)) return "unreachable"
  if (error instanceof Error && isFoundNext(error)) return "busy"
  // The row does not decode.
  return ParseResult.isParseError(error)
    ? "corrupt"
    : (reasons.find(([pattern]) => pattern.test(code(error)))?.[1] ?? "other")
}

/** The file system failed to report the state of a lock. */
export const isLockFailure = ({ cause }: StoreError): boolean =>
  /^SQLITE_IOERR_(LOCK|RDLOCK|CHECKRESERVEDLOCK)/.test(code(cause))

/** Whether a statement has waited for a lock of another PostgreSQL transaction until the timeout. */
export const isLockTimeout = (cause: unknown): boolean => code(root(cause)) === "55P03"

/** Whether the error has no specific code. If the statement is known to be correct, the file is damaged. */
export const isGeneric = (cause: unknown): boolean => code(root(cause)) === "SQLITE_ERROR"

/** The text of an error. Connecting to several addresses fails with an error for each, and no message for the whole. */
const textOf = (error: Error): string =>
  error instanceof AggregateError ? error.errors.map(String).join(", ") : error.message

/** The code of an error; the driver's errors about a missing or wrong password have no code. */
const codeOrSasl = (error: Error): string => (error.message.startsWith("SASL: ") ? "28P01" : code(error))

/** The driver's error, and its remedy. */
const explained = (error: unknown, reason: StoreError["reason"]): unknown => {
  if (!(error instanceof Error)) return error
  const remedy =
    remedies.find(([pattern]) => pattern.test(codeOrSasl(error)))?.[1] ??
    (reason === "unreachable" ? reconnect : undefined)
  return remedy === undefined ? error : new Error(`${textOf(error)}; ${remedy}`, { cause: error })
}

/** @example `Effect.mapError(storeError("read a run"))` */
export const storeError =
  (operation: string) =>
  (cause: unknown): StoreError => {
    if (cause instanceof StoreError) return cause
    const reason = reasonOf(cause)
    return new StoreError({ operation, reason, cause: explained(root(cause), reason) })
  }

/** Like `storeError`, for a whole cause: an exception of the driver is a failure of the database, not a defect. */
export const orStoreError =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StoreError, R> =>
    Effect.catchAllCause(effect, (cause) => Effect.fail(storeError(operation)(Cause.squash(cause))))
