import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import * as TemporaryDirectory from "./TemporaryDirectory.js"

const name = "test.db"

const stored = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })), Layer.orDie)

/** The bytes of a database with an empty store. */
const empty = Effect.runSync(
  Effect.cached(
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file(name)
      yield* Effect.provide(Effect.void, stored(filename))
      return readFileSync(filename)
    }).pipe(Effect.scoped)
  )
)

/** A new, empty store on a file of its own. The file is a copy: many tests take less time than it takes to make the tables. */
export const storeOnFile = Layer.unwrapScoped(
  Effect.gen(function* () {
    const filename = yield* TemporaryDirectory.file(name)
    writeFileSync(filename, yield* empty)
    return stored(filename)
  })
)
