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

interruptions(layerFile, manySteps)
