/**
 * Retention over the session and the writer of a database.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { type DateTime, Effect, Option } from "effect"
import { JobNotFound } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { RealClock } from "../../internal/RealClock.js"
import * as Pruning from "../rules/Pruning.js"
import type { Service } from "../port/RunStoreService.js"
import * as retention from "./retention.js"
import type { Session } from "./Session.js"
import type { Writer } from "./Writer.js"

type Retention = Pick<Service, "pin" | "unpin" | "latestId" | "retain" | "prune" | "prunings" | "nextExpiry">

/** Milliseconds of a slice before its commit, which writes the pages and the search index, and takes longer. */
const slice = 10

/** The weight exceeds a transaction of emitted events, so that a slice shares none with them. */
const weight = 4_096

export const make = ({
  now,
  session,
  write
}: {
  readonly now: Effect.Effect<DateTime.Utc>
  readonly session: Session
  readonly write: Writer["write"]
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

    const pruning = yield* Pruning.make({
      now,
      finished: (query) => session.read("list finished runs", (connection) => retention.finished(connection, query)),
      count: (kind) => session.read("count finished runs", (connection) => retention.count(connection, kind)),
      hidden: (query) => session.read("list pruned runs", (connection) => retention.hidden(connection, query)),
      hide: (ids) => pruneBy((connection) => retention.hide(connection, ids)),
      remove: (ids) =>
        pruneBy((connection) =>
          Effect.flatMap(realNow, (began) =>
            retention.remove(
              connection,
              ids,
              Effect.map(realNow, (at) => at - began >= slice)
            )
          )
        )
    })

    return {
      ...pruning,
      pin: (id) => setPinned(id, true),
      unpin: (id) => setPinned(id, false),
      latestId: Effect.map(session.read("read the newest run", retention.latestId), Option.fromNullable)
    }
  })
