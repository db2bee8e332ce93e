/**
 * Notices what other connections have committed, which SQLite does not announce: `PRAGMA data_version` has changed since. It is read only
 * while something waits for it.
 */
import { Effect, Schema, type Scope } from "effect"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Watch } from "../sql/producers.js"
import type { Session } from "../sql/Session.js"
import { query } from "../sql/statements.js"

/** Milliseconds between two reads. */
const pollInterval = 250

const selectVersion = query(Schema.Struct({ data_version: Schema.Number }))

export const make = (session: Session): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const isWatched = yield* Effect.makeLatch(false)
    /** What to run after a commit, and how many wait for it. */
    const watches = new Map<Effect.Effect<void>, number>()
    let seen: number | undefined

    // The statement is not prepared, since a client caches a failed prepare.
    const read = session.reserve((connection) =>
      selectVersion({ ...connection, execute: connection.executeUnprepared }, "PRAGMA data_version", [])
    )
    const poll = Effect.gen(function* () {
      yield* isWatched.await
      const [row] = yield* read
      if (row !== undefined && row.data_version !== seen) {
        seen = row.data_version
        yield* Effect.all([...watches.keys()], { discard: true })
      }
    })
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.ignore(poll), sleep(pollInterval))))

    return (wake) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          // The version before the first watch is unknown, so the first read counts as a change.
          if (watches.size === 0) seen = undefined
          watches.set(wake, (watches.get(wake) ?? 0) + 1)
          return isWatched.open
        }),
        () =>
          Effect.suspend(() => {
            const left = (watches.get(wake) ?? 1) - 1
            if (left > 0) watches.set(wake, left)
            else watches.delete(wake)
            return watches.size === 0 ? isWatched.close : Effect.void
          })
      ).pipe(Effect.asVoid)
  })
