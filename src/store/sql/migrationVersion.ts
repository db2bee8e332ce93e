/**
 * The version of a schema is the number in the name of the last migration, such as 8 for `0008_v0_2`.
 */
import { Effect, type Option } from "effect"
import { StoreError } from "../../domain/errors.js"

type Migrations = { readonly [name: string]: unknown }

export const of = (name: string): number => Number.parseInt(name, 10)

export const latest = (migrations: Migrations): number => Math.max(0, ...Object.keys(migrations).map(of))

/** The migration of version 0.2.0; development versions used the same numbers for other migrations. */
const rebuilt = { number: 8, name: "v0_2" }

/** Selects the input of `read`. */
export const select = `SELECT max(migration_id) AS id,
  max(CASE WHEN migration_id = ${rebuilt.number} THEN name END) AS name FROM charlotte_migrations`

export interface Recorded {
  readonly id: number | null
  readonly name: string | null
}

/**
 * The version that a database records, if any. The Migrator compares numbers only: it would mistake a database of a development version
 * for a newer or an equal one.
 */
export const read = (recorded: Recorded | undefined): Effect.Effect<Option.Option<number>, StoreError> => {
  if (recorded === undefined || recorded.id === null) return Effect.succeedNone
  if (recorded.name === null || recorded.name === rebuilt.name) return Effect.succeedSome(recorded.id)
  return new StoreError({
    operation: "migrate",
    reason: "version",
    cause: new Error(
      `the database was made by a development version of Charlotte (schema ${recorded.id}, ${recorded.name}); ` +
        "export its jobs with that version, or move it away to start afresh"
    )
  })
}
