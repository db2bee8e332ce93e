import { describe } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { conformance } from "./RunStoreConformance.js"

const layer = Layer.unwrapScoped(
  Effect.map(TemporaryDirectory.file("test.db"), (filename) =>
    RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })), Layer.orDie)
  )
)

describe("RunStore.layer on a file", () => {
  conformance(layer)
})
