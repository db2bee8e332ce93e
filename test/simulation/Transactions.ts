/**
 * Transactions of an application that start jobs: some are rolled back, and so are parts of them.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Cause, Data, Effect } from "effect"
import type { JobId } from "../../src/domain/JobId.js"

/** The jobs that a transaction has started, by what became of them. */
export interface Outcome {
  readonly committed: ReadonlyArray<JobId>
  readonly rolledBack: ReadonlyArray<JobId>
}

export interface Options {
  /** Whether a savepoint in it is rolled back, with a start of its own. */
  readonly withSavepoint: boolean
  readonly isRolledBack: boolean
}

class RolledBack extends Data.TaggedError("RolledBack")<{ readonly id: JobId }> {}

/** It was open when its commit failed, and whether that is in the file is for the file to say. */
export class Doubtful extends Data.TaggedError("Doubtful") {}

export const startInside = <E extends { readonly _tag: string }>(
  start: Effect.Effect<JobId, E>,
  { isRolledBack, withSavepoint }: Options
): Effect.Effect<Outcome, E | SqlError | Doubtful, SqlClient.SqlClient> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const rolledBack: Array<JobId> = []

      /** Runs a start, and rolls it back. */
      const undone = sql.withTransaction(Effect.flatMap(start, (id) => new RolledBack({ id }))).pipe(
        Effect.catchIf(
          (error) => error instanceof RolledBack,
          ({ id }) => Effect.sync(() => void rolledBack.push(id))
        )
      )
      if (isRolledBack) {
        yield* undone
        return { committed: [], rolledBack }
      }
      const committed = yield* sql.withTransaction(Effect.zipLeft(start, withSavepoint ? undone : Effect.void))
      return { committed: [committed], rolledBack }
    }).pipe(
      restore,
      // A failed COMMIT or ROLLBACK is a defect, and leaves the connection inside; also where the caller goes away.
      Effect.catchAllCause((cause): Effect.Effect<never, E | SqlError | Doubtful, SqlClient.SqlClient> => {
        if (!Cause.isDie(cause)) return Effect.failCause(cause)
        const answer = Cause.isInterrupted(cause) ? Effect.interrupt : new Doubtful()
        return Effect.flatMap(SqlClient.SqlClient, (sql) =>
          Effect.zipRight(Effect.ignore(sql.unsafe("ROLLBACK").unprepared), answer)
        )
      })
    )
  )
