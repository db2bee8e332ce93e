/**
 * The schema version of a database.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, type Option } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as Migrations from "./sqlite/Migrations.js"
import * as PostgresMigrations from "./postgres/PostgresMigrations.js"
import { databaseOf, openSession } from "./openSession.js"

export interface SchemaVersion {
  /** The recorded version; none in an empty database. */
  readonly found: Option.Option<number>
  readonly latest: number
}

/** Reads the versions; changes nothing. */
export const schemaVersion: Effect.Effect<SchemaVersion, StoreError, SqlClient.SqlClient> = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    databaseOf(sql) === "postgres" ? Effect.flatMap(openSession, PostgresMigrations.version) : Migrations.version
)
