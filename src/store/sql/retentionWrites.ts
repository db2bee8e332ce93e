/**
 * Retention and removal over the session and the writers of a database.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { type DateTime, Effect, Option } from "effect"
import { JobNotFound, type NotRemovable } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { RealClock } from "../../internal/RealClock.js"
import * as Pruning from "../rules/Pruning.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { Service } from "../port/RunStoreService.js"
import type { Lanes } from "./Lanes.js"
import * as removal from "./removal.js"
import * as retention from "./retention.js"
import type { SearchIndexer } from "./SearchIndexer.js"
import type { Session } from "./Session.js"

type Retention = Pick<
  Service,
  | "pin"
  | "unpin"
  | "latestId"
  | "retain"
  | "prune"
  | "prunings"
  | "nextExpiry"
  | "remove"
  | "deleteHidden"
  | "hasHidden"
>

/** Milliseconds of a slice before its commit, which writes the pages and the search index, and takes longer. */
const slice = 10

/** The weight exceeds a transaction of emitted events, so that a slice shares none with them. */
const weight = 4_096

export const make = ({
  indexer,
  lanes: { admit, write },
  notifier,
  now,
  session
}: {
  readonly indexer: SearchIndexer
  readonly lanes: Pick<Lanes, "admit" | "write">
  readonly notifier: ChangeNotifier
  readonly now: Effect.Effect<DateTime.Utc>
  readonly session: Session
}): Effect.Effect<Retention> =>
  Effect.gen(function* () {
    const { now: realNow } = yield* RealClock
    const pruneBy = <A>(body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
      write<A, never>({
        operation: "prune runs",
        lane: "slow",
        weight,
        body: (batch) => Effect.flatMap(batch.connection, body)
      })

    const setPinned = (id: JobId, isPinned: boolean) =>
      write({
        operation: isPinned ? "pin a run" : "unpin a run",
        lane: "fast",
        body: (batch): Effect.Effect<void, JobNotFound | SqlError> =>
          Effect.flatMap(batch.connection, (connection) =>
            Effect.flatMap(retention.setPinned(connection, id, isPinned), (isThere) =>
              isThere ? Effect.void : new JobNotFound({ jobId: id })
            )
          )
      })

    /** Counts what was hidden before its caller learns of it. */
    const counted = <E>(hide: Effect.Effect<ReadonlyArray<JobId>, E>) =>
      Effect.uninterruptible(Effect.tap(hide, (hidden) => (hidden.length === 0 ? Effect.void : notifier.pruned)))

    const pruning = yield* Pruning.make({
      now,
      finished: (query) => session.read("list finished runs", (connection) => retention.finished(connection, query)),
      count: (kind) => session.read("count finished runs", (connection) => retention.count(connection, kind)),
      hidden: (query) => session.read("list pruned runs", (connection) => retention.hidden(connection, query)),
      hide: (ids) => counted(pruneBy((connection) => retention.hide(connection, ids))),
      removed: (ids) => session.read("list removed runs", (connection) => retention.removed(connection, ids)),
      remove: (ids) =>
        pruneBy((connection) =>
          Effect.gen(function* () {
            const began = yield* realNow
            const isTimeUp = Effect.map(realNow, (at) => at - began >= slice)
            const deleted = yield* retention.remove(connection, ids, isTimeUp)
            yield* connection.dialect.leaveUnmerged(connection, deleted)
            return deleted
          })
        )
    })

    return {
      ...pruning,
      prunings: notifier.prunings,
      remove: (removing) =>
        counted(
          admit({
            operation: "remove a job",
            lane: "fast",
            body: (batch): Effect.Effect<ReadonlyArray<JobId>, JobNotFound | NotRemovable | SqlError> =>
              Effect.gen(function* () {
                const connection = yield* batch.connection
                yield* batch.lockAdmission(removing.kind)
                return yield* removal.remove(connection, removing)
              })
          })
        ),
      deleteHidden: (rule, ids) => Effect.zipRight(pruning.deleteHidden(rule, ids), indexer.removed),
      pin: (id) => setPinned(id, true),
      unpin: (id) => setPinned(id, false),
      latestId: Effect.map(session.read("read the newest run", retention.latestId), Option.fromNullable)
    }
  })
