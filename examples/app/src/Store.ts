/**
 * The database that both processes share: PostgreSQL where `DATABASE_URL` is set, and otherwise the SQLite file `shop.db`.
 */
import { Database, RunStore } from "charlotte"
import { Config, Effect, Layer, Option } from "effect"

const Sql = Layer.unwrapEffect(
  Effect.map(
    Config.option(Config.redacted("DATABASE_URL")),
    Option.match({
      onNone: () => Database.layer({ filename: "shop.db" }),
      onSome: (url) => Database.layerPostgres({ url })
    })
  )
)

/** The application's `SqlClient`, and on it the store of the jobs, whose tables are beside those of the application. */
export const layer = Layer.provideMerge(RunStore.layer, Sql)
