/** The daemon of the home that `CHARLOTTE_HOME` names, as a process that is killed. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect, Fiber, Layer } from "effect"
import { performance } from "node:perf_hooks"
import * as Daemon from "../../src/daemon/Daemon.js"
import * as victim from "./victim.js"

const fiber = Effect.runFork(
  Daemon.run({ onReady: () => Effect.sync(() => victim.tell(`ready ${performance.now()}`)) }).pipe(
    Effect.provide(Layer.merge(NodeContext.layer, victim.layer))
  )
)

process.once("SIGTERM", () => Effect.runFork(Fiber.interruptFork(fiber)))
