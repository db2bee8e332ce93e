/**
 * What an application's own connection needs before anything is promised on it: commits that survive a loss of power, and no
 * long wait for a lock, since the driver waits in a frozen process.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import { driverTimeout, retryWhileBusy } from "./busyRetry.js"
import { storeError } from "./mapSqlError.js"
import { query, type Session } from "./Session.js"

const operation = "open the store"

const levels = ["OFF", "NORMAL", "FULL", "EXTRA"] as const
const full = 2

/** How long an event loop may stand still, in milliseconds. */
const longestTimeout = 50

const selectSynchronous = query(Schema.Struct({ synchronous: Schema.Number }))
const selectTimeout = query(Schema.Struct({ timeout: Schema.Number }))
const selectVersion = query(Schema.Struct({ user_version: Schema.Number }))

interface Settings {
  readonly synchronous: number
  readonly timeout: number
}

/** The connections that `Database.layer` has set up, as the application has asked for there. */
const configured = new WeakSet<Connection>()

export const markConfigured = (connection: Connection): void => void configured.add(connection)

/** A client remembers what could not be prepared. */
const unprepared = (connection: Connection): Connection => ({ ...connection, execute: connection.executeUnprepared })

/** After a write: before the first one, a connection in WAL mode does not say what it will do. */
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
      `PRAGMA ${pragma} of the application's connection is ${found} and cannot be set to ${needed}; set it where the client is made, or take RunStore.layerWith({ durability: "as-is" }) and accept what that means`
    )
  })

const refuse = ({ synchronous, timeout }: Settings) => {
  if (synchronous < full) return refusal("synchronous", name(synchronous), "FULL")
  return timeout > longestTimeout ? refusal("busy_timeout", timeout, `${longestTimeout} or less`) : Effect.void
}

/** Sets what is missing on the connection, and says so once. */
export const ensure = (session: Session): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => {
    if (configured.has(session.connection)) return Effect.void
    const changes: Array<string> = []
    const set = (prepared: Connection) =>
      Effect.gen(function* () {
        const connection = unprepared(prepared)
        // First: the statements after it may find the database locked.
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
        : Effect.logInfo(`set on the application's connection to the database: ${changes.join(", ")}`)
    )
    return Effect.zipRight(retryWhileBusy(session.reserve(set)), report)
  }).pipe(Effect.mapError(storeError(operation)), Effect.annotateLogs({ module: "charlotte/RunStore" }))
