import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { describe, expect, it } from "@effect/vitest"
import { Database } from "charlotte"
import { Effect } from "effect"
import { statSync, truncateSync } from "node:fs"
import { isTruncated } from "../../../src/store/sqlite/writeAheadLog.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const grow = (filename: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO t VALUES (zeroblob(100000))`).pipe(
    Effect.zipRight(checkpoint),
    Effect.provide(Database.layer({ filename })),
    Effect.orDie
  )

const checkpoint = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe("PRAGMA wal_checkpoint(PASSIVE)"))

/** A database file of some pages, which are all in the file, and a connection to it. */
const withDatabase = <A, E, R>(use: (filename: string, connection: Connection) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(TemporaryDirectory.file("test.db"), (filename) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (x)`
      yield* grow(filename)
      return yield* use(filename, yield* sql.reserve)
    }).pipe(Effect.provide(Database.layer({ filename })))
  )

describe("isTruncated", () => {
  for (const nth of [0, 1]) {
    it.scoped(`is false where another process writes and runs a checkpoint before query ${nth + 1} of the check`, () =>
      withDatabase((filename, connection) =>
        Effect.gen(function* () {
          let queries = 0
          const raced: Connection = {
            ...connection,
            executeUnprepared: (...query) =>
              Effect.suspend(() =>
                Effect.zipRight(
                  queries++ === nth ? grow(filename) : Effect.void,
                  connection.executeUnprepared(...query)
                )
              )
          }
          const { size } = statSync(filename)
          expect(yield* isTruncated(raced, filename, size)).toBe(false)
        })
      )
    )
  }

  it.scoped("is true for a file that has lost its last page", () =>
    withDatabase((filename, connection) =>
      Effect.gen(function* () {
        const { size } = statSync(filename)
        truncateSync(filename, size - 4_096)
        expect(yield* isTruncated(connection, filename, size)).toBe(true)
        expect(yield* isTruncated(connection, filename, size - 4_096)).toBe(true)
      })
    )
  )
})
