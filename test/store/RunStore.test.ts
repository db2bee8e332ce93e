import { describe } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { vocabularyInSql } from "./conformance/vocabulary.js"
import { conformance } from "./RunStoreConformance.js"

const layerFile = Layer.unwrapScoped(
  Effect.map(TemporaryDirectory.file("test.db"), (filename) =>
    RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })), Layer.orDie)
  )
)

describe("RunStore.layerMemory", () => {
  conformance(RunStore.layerMemory)
})

describe("RunStore.layer on a file", () => {
  conformance(layerFile)
  vocabularyInSql(layerFile)
})
