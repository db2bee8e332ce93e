/**
 * The dialect of PostgreSQL on a connection that answers as the server does.
 */
import type * as SqlConnection from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import * as OwnCursors from "../../src/store/postgres/OwnCursors.js"
import { wrap } from "../../src/store/postgres/PostgresConnection.js"
import * as PostgresDialect from "../../src/store/postgres/PostgresDialect.js"

const lost = new SqlError({ cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }) })

/** Draws the cursors up to 10, and loses its connection at the COMMIT. */
const executeRaw: SqlConnection.Connection["executeRaw"] = (sql) => {
  if (sql.startsWith("BEGIN")) return Effect.succeed([{ rows: [] }, { rows: [{ xid: "7" }] }])
  return sql.startsWith("WITH drawn") ? Effect.succeed({ rows: [{ cursor: 10 }] }) : Effect.fail(lost)
}

const raw: SqlConnection.Connection = {
  execute: () => Effect.succeed([]),
  executeRaw,
  executeStream: () => Stream.empty,
  executeUnprepared: () => Effect.succeed([]),
  executeValues: () => Effect.succeed([])
}

const event = (seq: number) => ({ job_id: "job", seq, at: 0, type: "step", unit: null, task: null, payload: null })

describe("OwnCursors", () => {
  it.effect("has what others write seen after a transaction that drew cursors was rolled back", () =>
    Effect.gen(function* () {
      const own = OwnCursors.make()
      const dialect = PostgresDialect.make({ origin: "this store", outcome: () => Effect.succeed("aborted"), own })
      const connection = wrap(raw, dialect)
      const commit = yield* dialect.begin(connection, "record")
      yield* dialect.insertEvents(connection, [event(1), event(2)])
      // It may be committing them.
      expect(own.foreign(5, 12)).toEqual({ foreign: [[5, 8]], upTo: 8 })
      expect(Exit.isFailure(yield* Effect.exit(commit))).toBe(true)
      yield* dialect.rollback(connection)
      // Others draw the same cursors then.
      expect(own.foreign(8, 12)).toEqual({ foreign: [[8, 12]], upTo: 12 })
    })
  )
})
