/**
 * Notices what other connections have committed, which SQLite does not announce: `PRAGMA data_version` has changed since. It is read only
 * while something waits for it.
 */
import { Effect, Schema, type Scope } from "effect"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { Connection } from "../sql/Dialect.js"
import type { Watch } from "../sql/producers.js"
import { prunings } from "../sql/retention.js"
import type { Session } from "../sql/Session.js"
import { query } from "../sql/statements.js"

/** Milliseconds between two reads. */
const pollInterval = 250

const selectVersion = query(Schema.Struct({ data_version: Schema.Number }))

export const make = (
  session: Session,
  notifier: Pick<ChangeNotifier, "pruned">
): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const isWatched = yield* Effect.makeLatch(false)
    /** What to run after a commit, and how many wait for it. */
    const watches = new Map<Effect.Effect<void>, number>()
    let seen: number | undefined
    let seenPrunings: number | undefined

    // The statements are not prepared, since a client caches a failed prepare.
    const unprepared = (connection: Connection): Connection => ({
      ...connection,
      execute: connection.executeUnprepared
    })
    const read = session.reserve((connection) => selectVersion(unprepared(connection), "PRAGMA data_version", []))
    /** Others may have pruned while nothing was watched, so the first number counts as a change. */
    const readPrunings = Effect.flatMap(
      session.reserve((connection) => prunings(unprepared(connection))),
      (now) => {
        if (now === seenPrunings) return Effect.void
        seenPrunings = now
        return notifier.pruned
      }
    )
    const poll = Effect.gen(function* () {
      yield* isWatched.await
      const [row] = yield* read
      if (row !== undefined && row.data_version !== seen) {
        yield* readPrunings
        // A read that fails is tried again with the next poll, so that no wake-up is lost.
        seen = row.data_version
        yield* Effect.all([...watches.keys()], { discard: true })
      }
    })
    yield* background.fork(Effect.forever(Effect.zipRight(Effect.ignore(poll), sleep(pollInterval))))

    return (wake) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          const isFirst = watches.size === 0
          // The version before the first watch is unknown, so the first read counts as a change.
          if (isFirst) seen = undefined
          watches.set(wake, (watches.get(wake) ?? 0) + 1)
          return Effect.zipRight(isFirst ? notifier.pruned : Effect.void, isWatched.open)
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
