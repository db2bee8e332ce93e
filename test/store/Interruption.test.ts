import { describe } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { manySteps } from "../support/interruption.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { interruptions } from "./interruptions.js"

const layer = Layer.unwrapScoped(
  Effect.map(TemporaryDirectory.file("test.db"), (filename) =>
    RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })), Layer.orDie)
  )
)

describe("RunStore.layer on a file", () => {
  interruptions(layer, manySteps)
})
