/**
 * A client of the database of a home.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Layer } from "effect"
import { StoreError } from "../../domain/errors.js"
import * as Database from "../../store/Database.js"
import type { DatabaseChoice } from "../config/DatabaseChoice.js"
import { Home } from "../home/Home.js"
import * as HomeDatabase from "../home/HomeDatabase.js"

/** A client of a PostgreSQL database; an error names the database, which may not be on this command line. */
const postgres = ({ shown, url }: Extract<DatabaseChoice, { _tag: "Postgres" }>) =>
  Layer.catchAll(Database.layerPostgres({ url }), ({ cause, operation, reason }) => {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return Layer.fail(new StoreError({ operation, reason, cause: new Error(`${shown}: ${detail}`, { cause }) }))
  })

/** For the process that holds the home. */
export const layer = Layer.unwrapEffect(
  Effect.map(Effect.all([HomeDatabase.chosen, Home]), ([choice, { database }]) =>
    choice._tag === "Sqlite" ? Database.layer({ filename: database }) : postgres(choice)
  )
)

/** For reading alongside that process. */
export const layerUntouched = (
  choice: DatabaseChoice,
  options: { readonly thorough?: boolean } = {}
): Layer.Layer<SqlClient, StoreError, Home> =>
  Layer.unwrapEffect(
    Effect.map(Home, ({ database }) =>
      choice._tag === "Sqlite" ? Database.layerUntouched({ filename: database, ...options }) : postgres(choice)
    )
  )
