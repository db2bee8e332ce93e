/** A program that opens a home, and says why it cannot. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect, Layer } from "effect"
import * as Home from "../../../src/daemon/home/Home.js"

const [, , directory = ""] = process.argv

await Effect.runPromise(
  Effect.provide(Home.Home, Layer.provide(Home.layerAt(directory), NodeContext.layer)).pipe(
    Effect.match({
      onFailure: ({ message }) => void process.stdout.write(message),
      onSuccess: () => {}
    })
  )
)
