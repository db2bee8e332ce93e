/**
 * `charlotte cluster migrate`: migrates the tables of the database to this version, as a daemon does when it starts, or prints the SQL
 * that does so.
 */
import { Effect, Layer, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as PostgresMigrations from "../../store/postgres/PostgresMigrations.js"
import * as RunStore from "../../store/RunStore.js"
import { schemaVersion } from "../../store/schemaVersion.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { client } from "./withCluster.js"

export interface Options {
  readonly dryRun: boolean
  readonly json: boolean
}

export const migrate = ({ dryRun, json }: Options) =>
  Effect.gen(function* () {
    const sql = yield* Layer.build(yield* client)
    const { found, latest } = yield* Effect.provide(schemaVersion, sql)
    // Fails for a database of a newer version.
    if (!dryRun) yield* Effect.provide(Layer.build(RunStore.layer), sql)
    const from = Option.getOrElse(found, () => 0)
    const migrations = PostgresMigrations.after(from)
    yield* json
      ? writeJson({ from, to: Math.max(from, latest), dryRun, migrations })
      : writeLines(said({ from, latest, dryRun, migrations }).map((line) => [StyledLine.raw(line)]))
  }).pipe(Effect.scoped, Effect.provide(Home.layerUntouched))

const said = ({
  dryRun,
  from,
  latest,
  migrations
}: {
  readonly from: number
  readonly latest: number
  readonly dryRun: boolean
  readonly migrations: ReadonlyArray<PostgresMigrations.Migration>
}): ReadonlyArray<string> => {
  if (from > latest)
    return [`the database has version ${from}, and this charlotte supports up to ${latest}; install a newer one`]
  if (from === latest) return [`the database has version ${latest}: there is nothing to migrate`]
  const what = from === 0 ? `an empty database to version ${latest}` : `the database from version ${from} to ${latest}`
  return dryRun ? [`-- would migrate ${what}`, ...script(migrations)] : [`migrated ${what}`]
}

/** The SQL, as input for `psql`. */
const script = (migrations: ReadonlyArray<PostgresMigrations.Migration>): ReadonlyArray<string> => [
  ...["BEGIN", ...PostgresMigrations.opening].flatMap(statementLines),
  ...migrations.flatMap(({ name, statements, version }) => [
    "",
    `-- ${String(version).padStart(4, "0")}_${name}`,
    ...statements.flatMap(statementLines)
  ]),
  "",
  "COMMIT;"
]

/** The lines of a statement without its indentation in the source code. */
const statementLines = (statement: string): ReadonlyArray<string> => {
  const [first = "", ...rest] = `${statement.trim()};`.split("\n")
  const indentation = Math.min(...rest.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)))
  return [first, ...rest.map((line) => line.slice(indentation))]
}
