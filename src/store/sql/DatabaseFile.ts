/**
 * The file under an open database. SQLite goes on writing into a file that was deleted or replaced, and acknowledges it: so
 * the name is compared with the file that was opened, before each transaction and every two seconds.
 */
import { Effect, Schema, type Scope } from "effect"
import { statSync } from "node:fs"
import { StoreError } from "../../domain/errors.js"
import { WallClock } from "../WallClock.js"
import { query, type Session } from "./Session.js"

const everyMillis = 2_000

const list = query(Schema.Struct({ name: Schema.String, file: Schema.NullOr(Schema.String) }))

const identity = (path: string): string | undefined => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

/** Fails once the file is no longer the one that was opened; always succeeds for a database in memory. */
export const guard = (session: Session): Effect.Effect<Effect.Effect<void, StoreError>, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const databases = yield* session.read("open the store", (connection) =>
      list(connection, "PRAGMA database_list", [])
    )
    const path = databases.find(({ name }) => name === "main")?.file
    if (!path) return Effect.void

    const opened = identity(path)
    const check = Effect.suspend(() => {
      const found = identity(path)
      return found !== undefined && found === opened
        ? Effect.void
        : new StoreError({
            operation: "use the database",
            reason: "replaced",
            cause: new Error(
              `${path} was ${found === undefined ? "deleted" : "replaced"} while it was open; put it back and start again`
            )
          })
    })

    const { sleep } = yield* WallClock
    yield* Effect.zipRight(sleep(everyMillis), check).pipe(
      Effect.forever,
      Effect.catchAll((error) => Effect.logError(error.message)),
      Effect.annotateLogs({ module: "charlotte/RunStore" }),
      Effect.interruptible,
      Effect.forkScoped
    )
    return check
  })
