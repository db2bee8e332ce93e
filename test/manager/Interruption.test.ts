import { describe } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { manySteps } from "../support/interruption.js"
import { interruptions } from "./interruptions.js"
import { databaseFile } from "./lives.js"

const layerFile = Layer.unwrapScoped(
  Effect.map(databaseFile, (filename) =>
    RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })), Layer.orDie)
  )
)

describe("in memory", () => {
  interruptions(RunStore.layerMemory, manySteps, { hasTransactions: false })
})

describe("in SQLite", () => {
  interruptions(layerFile, manySteps, { hasTransactions: true })
})
