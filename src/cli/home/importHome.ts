/**
 * `charlotte import-home`: independent of any process that uses this home.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Layer, type Option, Stream } from "effect"
import { createGunzip } from "node:zlib"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as databaseClient from "../../daemon/layers/databaseClient.js"
import * as Home from "../../daemon/home/Home.js"
import * as HomeDatabase from "../../daemon/home/HomeDatabase.js"
import { StoreError } from "../../domain/errors.js"
import * as Archive from "../../store/Archive.js"
import * as RunStore from "../../store/RunStore.js"
import { UsageError } from "../parser/UsageError.js"
import { CurrentDirectory } from "../start/repositoryAround.js"
import * as format from "../terminal/format.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { writeJson, writeLines } from "../terminal/Output.js"

export interface Options {
  readonly file: string
  readonly database: Option.Option<DatabaseChoice.DatabaseChoice>
  readonly json: boolean
}

const failed = (cause: unknown) => new StoreError({ operation: "read the file", reason: "invalid", cause })

export const importHome = ({ database, json, ...options }: Options) =>
  Effect.gen(function* () {
    const { stream } = yield* FileSystem
    const file = (yield* Path).resolve(yield* yield* CurrentDirectory, options.file)
    const choice = yield* Effect.provideService(HomeDatabase.chosenToRead, HomeDatabase.Flag, database)
    if (choice._tag === "Sqlite") {
      return yield* new UsageError({
        problem: "records are imported into PostgreSQL",
        hint: `name an empty database: --database ${DatabaseChoice.example}`
      })
    }
    const lines = stream(file).pipe(
      NodeStream.pipeThroughDuplex(() => createGunzip(), failed),
      Stream.decodeText(),
      Stream.splitLines
    )
    const counts = yield* Effect.gen(function* () {
      // Creates the tables.
      yield* Effect.scoped(Layer.build(RunStore.layer))
      return yield* Archive.restore(lines)
    }).pipe(Effect.provide(databaseClient.layerUntouched(choice)))
    yield* json
      ? writeJson(counts)
      : writeLines([
          [
            StyledLine.raw("✓ ", "good"),
            StyledLine.raw(`imported ${format.count(counts.jobs, "job")} and ${format.count(counts.events, "event")}`)
          ],
          [
            StyledLine.raw("  go on there with: "),
            StyledLine.piece(`charlotte daemon start --database ${choice.shown}`)
          ]
        ])
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
