/**
 * `charlotte cluster migrate`: brings the tables of the database up to this version, which a daemon does when it starts, too.
 */
import { Effect, Layer, Option } from "effect"
import * as Home from "../../daemon/Home.js"
import * as RunStore from "../../store/RunStore.js"
import { schemaVersion } from "../../store/schemaVersion.js"
import { Output, writeLines } from "../terminal/Output.js"
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
    // One of a newer version is refused here.
    if (!dryRun) yield* Effect.provide(Layer.build(RunStore.layer), sql)
    const from = Option.getOrElse(found, () => 0)
    yield* json
      ? Effect.flatMap(Output, ({ write }) =>
          write(`${JSON.stringify({ from, to: Math.max(from, latest), dryRun })}\n`)
        )
      : writeLines([[StyledLine.raw(said({ from, latest, dryRun }))]])
  }).pipe(Effect.scoped, Effect.provide(Home.layerUntouched))

const said = ({
  dryRun,
  from,
  latest
}: {
  readonly from: number
  readonly latest: number
  readonly dryRun: boolean
}) => {
  if (from > latest)
    return `the database has version ${from}, and this charlotte supports up to ${latest}; install a newer one`
  if (from === latest) return `the database has version ${latest}: there is nothing to migrate`
  const what = from === 0 ? `an empty database to version ${latest}` : `the database from version ${from} to ${latest}`
  return dryRun ? `would migrate ${what}` : `migrated ${what}`
}
