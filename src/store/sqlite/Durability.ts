/**
 * Ensures the settings that the application's connection needs before writes on it are acknowledged: commits that survive a power loss,
 * and a short busy timeout, since the driver blocks the event loop while it waits.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import { driverTimeout, retryWhileBusy } from "../sql/busyRetry.js"
import { storeError } from "../sql/mapSqlError.js"
import type { Session } from "../sql/Session.js"
import { query } from "../sql/statements.js"

const operation = "open the store"

const levels = ["OFF", "NORMAL", "FULL", "EXTRA"] as const
const full = 2

/** How long the event loop may be blocked, in milliseconds. */
const longestTimeout = 50

const selectSynchronous = query(Schema.Struct({ synchronous: Schema.Number }))
const selectTimeout = query(Schema.Struct({ timeout: Schema.Number }))
const selectVersion = query(Schema.Struct({ user_version: Schema.Number }))

interface Settings {
  readonly synchronous: number
  readonly timeout: number
}

/** Connections configured by `Database.layer`, with the options of the application. */
const configured = new WeakSet<Connection>()

export const markConfigured = (connection: Connection): void => void configured.add(connection)

/** Statements are not prepared, since a client caches a failed prepare. */
const unprepared = (connection: Connection): Connection => ({ ...connection, execute: connection.executeUnprepared })

/** Reads the settings after a write: before its first write, a connection in WAL mode does not report the effective settings. */
const settings = (connection: Connection): Effect.Effect<Settings, SqlError> =>
  Effect.gen(function* () {
    const [version] = yield* selectVersion(connection, "PRAGMA user_version", [])
    yield* connection.execute(`PRAGMA user_version = ${version?.user_version ?? 0}`, [], undefined)
    const [synchronous] = yield* selectSynchronous(connection, "PRAGMA synchronous", [])
    const [timeout] = yield* selectTimeout(connection, "PRAGMA busy_timeout", [])
    return { synchronous: synchronous?.synchronous ?? 0, timeout: timeout?.timeout ?? 0 }
  })

const name = (synchronous: number) => levels[synchronous] ?? String(synchronous)

const refusal = (pragma: string, found: string | number, needed: string) =>
  new StoreError({
    operation,
    reason: "other",
    cause: new Error(
      `PRAGMA ${pragma} of the application's connection is ${found} and cannot be set to ${needed}; set it where the client is created, or use RunStore.layerWith({ durability: "as-is" }) and accept the consequences`
    )
  })

const refuse = ({ synchronous, timeout }: Settings) => {
  if (synchronous < full) return refusal("synchronous", name(synchronous), "FULL")
  return timeout > longestTimeout ? refusal("busy_timeout", timeout, `${longestTimeout} or less`) : Effect.void
}

/** Sets the missing settings on the connection, and logs it once. */
export const ensure = (session: Session): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => {
    if (configured.has(session.connection)) return Effect.void
    const changes: Array<string> = []
    const set = (prepared: Connection) =>
      Effect.gen(function* () {
        const connection = unprepared(prepared)
        // The timeout comes first: the following statements may find the database locked.
        const [timeout] = yield* selectTimeout(connection, "PRAGMA busy_timeout", [])
        if (timeout !== undefined && timeout.timeout > longestTimeout) {
          yield* connection.execute(`PRAGMA busy_timeout = ${driverTimeout}`, [], undefined)
          changes.push(`busy_timeout=${driverTimeout} ms (was ${timeout.timeout})`)
        }
        const before = yield* settings(connection)
        if (before.synchronous >= full) return yield* refuse(before)
        yield* connection.execute("PRAGMA synchronous = FULL", [], undefined)
        changes.push(`synchronous=FULL (was ${name(before.synchronous)})`)
        yield* refuse(yield* settings(connection))
      })
    const report = Effect.suspend(() =>
      changes.length === 0
        ? Effect.void
        : Effect.logInfo(`changed settings of the application's database connection: ${changes.join(", ")}`)
    )
    return Effect.zipRight(retryWhileBusy(session.reserve(set)), report)
  }).pipe(Effect.mapError(storeError(operation)), Effect.annotateLogs({ module: "charlotte/RunStore" }))
